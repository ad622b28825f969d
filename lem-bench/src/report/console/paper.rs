//! Paper of a given width: words are set in lines that never grow longer, with colour where it is wanted.
//!
//! Must not know what is written on it.

use crate::report::labels::Rating;
use crate::report::terminal_text::{clean, pieces, width};

/// How a word looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Strong,
    Faint,
    Rating(Rating),
}

impl Style {
    /// The ANSI sequence that turns it on.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("\x1b[1m"),
            Self::Faint => Some("\x1b[2m"),
            Self::Rating(Rating::Good) => Some("\x1b[32m"),
            Self::Rating(Rating::Careful) => Some("\x1b[33m"),
            Self::Rating(Rating::Bad) => Some("\x1b[1;31m"),
        }
    }
}

/// A piece of text that is kept on one line if it fits there at all.
#[derive(Debug, Clone)]
pub(super) struct TextRole {
    text: String,
    look: Style,
}

impl TextRole {
    pub(super) fn new(text: impl AsRef<str>, look: Style) -> Self {
        Self { text: clean(text.as_ref()), look }
    }

    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Style::Plain)
    }
}

/// The words of a sentence, each of which may go to the next line.
pub(super) fn sentence(text: &str, look: Style) -> impl Iterator<Item = TextRole> {
    text.split_whitespace().map(move |word| TextRole::new(word, look))
}

/// Lines of at most so many columns.
#[derive(Debug)]
pub(super) struct TextWriter {
    width: usize,
    color: bool,
    text: String,
}

impl TextWriter {
    /// Paper of this width; less than 20 columns hold nothing and are taken as 20.
    pub(super) fn new(width: usize, color: bool) -> Self {
        Self { width: width.max(20), color, text: String::new() }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// What has been written.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// An empty line, unless the last one is empty.
    pub(super) fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// One line as it is, cut where the paper ends. It must have no colour in it.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(pieces(line, self.width)[0].trim_end());
        self.text.push('\n');
    }

    /// Words from column `from` on, after `lead` (which begins at the column where `from` leaves room for it), over as
    /// many lines as they need.
    pub(super) fn words(&mut self, lead: &[TextRole], from: usize, words: impl IntoIterator<Item = TextRole>) {
        let mut column = 0;
        for word in lead {
            self.write(word);
            column += width(&word.text);
        }
        self.pad(&mut column, from);
        let mut fresh = true;
        for word in words {
            let wide = width(&word.text);
            let gap = usize::from(!fresh);
            if column + gap + wide <= self.width {
                let to = column + gap;
                self.pad(&mut column, to);
                self.write(&word);
                column += wide;
            } else {
                if !fresh {
                    self.break_line(&mut column, from);
                }
                for (at, piece) in pieces(&word.text, self.width.saturating_sub(from).max(2)).into_iter().enumerate() {
                    if at > 0 {
                        self.break_line(&mut column, from);
                    }
                    column += width(&piece);
                    self.write(&TextRole { text: piece, look: word.look });
                }
            }
            fresh = false;
        }
        self.end_line();
    }

    fn pad(&mut self, column: &mut usize, to: usize) {
        while *column < to {
            self.text.push(' ');
            *column += 1;
        }
    }

    fn break_line(&mut self, column: &mut usize, from: usize) {
        self.end_line();
        *column = 0;
        self.pad(column, from);
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    fn write(&mut self, word: &TextRole) {
        match word.look.code().filter(|_| self.color && !word.text.is_empty()) {
            Some(code) => {
                self.text.push_str(code);
                self.text.push_str(&word.text);
                self.text.push_str("\x1b[0m");
            }
            None => self.text.push_str(&word.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_broken_and_short_ones_are_not() {
        let mut paper = TextWriter::new(20, false);
        paper.words(&[TextRole::plain("id")], 4, [TextRole::plain("x".repeat(40)), TextRole::plain("(estimated)")]);
        assert_eq!(
            paper.into_text(),
            format!("id  {0}\n    {0}\n    {1}\n    (estimated)\n", "x".repeat(16), "x".repeat(8))
        );
    }

    #[test]
    fn colour_takes_no_room_and_ends_with_its_word() {
        let mut plain = TextWriter::new(20, false);
        let mut coloured = TextWriter::new(20, true);
        for paper in [&mut plain, &mut coloured] {
            paper.words(&[], 2, sentence("one two three four five", Style::Rating(Rating::Bad)));
        }
        let coloured = coloured.into_text();
        assert_eq!(coloured.replace("\x1b[1;31m", "").replace("\x1b[0m", ""), plain.into_text());
        assert_eq!(coloured.matches("\x1b[1;31m").count(), coloured.matches("\x1b[0m").count());
    }
}
