//! Writes words into lines of a limited width, with or without colour.

use crate::analysis::Rating;
use crate::model::Origin;
use crate::report::terminal_text::{clean, pieces, width};

/// The ANSI sequence that turns all styles off.
const RESET: &str = "\x1b[0m";

/// The style of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Strong,
    Faint,
    Rating(Rating),
}

impl Style {
    /// Returns the ANSI sequence that turns the style on.
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

/// A styled piece of text, which is not broken if it fits on a line.
#[derive(Debug, Clone)]
pub(super) struct StyledText {
    text: String,
    style: Style,
}

impl StyledText {
    pub fn new(text: impl AsRef<str>, style: Style) -> Self {
        Self { text: clean(text.as_ref()), style }
    }

    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Style::Plain)
    }

    /// Returns the label of a number that was not measured.
    pub fn origin(origin: Origin) -> Option<Self> {
        origin.label().map(|label| Self::new(label, Style::Rating(Rating::Careful)))
    }
}

/// Splits a sentence into words, each of which may move to the next line.
pub(super) fn words(text: &str, style: Style) -> impl Iterator<Item = StyledText> {
    text.split_whitespace().map(move |word| StyledText::new(word, style))
}

/// Text in lines of at most `width` columns.
#[derive(Debug)]
pub(super) struct TextWriter {
    width: usize,
    color: bool,
    text: String,
    /// Where the last styled text of this line ends, and the sequence that turned its style on.
    styled: Option<(usize, &'static str)>,
}

impl TextWriter {
    /// Creates an empty text. A width of less than 20 columns is taken as 20.
    pub fn new(width: usize, color: bool) -> Self {
        Self { width: width.max(20), color, text: String::new(), styled: None }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Writes an empty line, unless the text is empty or its last line is.
    pub fn blank_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Writes a line without colour, cut at the width.
    pub fn write_line(&mut self, line: &str) {
        self.text.push_str(pieces(line, self.width)[0].trim_end());
        self.text.push('\n');
    }

    /// Writes words on as many lines as they need. The first line starts with `lead`, and words start at column
    /// `indent`.
    pub fn write_words(
        &mut self,
        lead: Option<StyledText>,
        indent: usize,
        words: impl IntoIterator<Item = StyledText>,
    ) {
        let mut column = 0;
        if let Some(lead) = lead {
            self.write(&lead);
            column += width(&lead.text);
        }
        self.pad(&mut column, indent);
        let mut is_line_start = true;
        for word in words {
            let word_width = width(&word.text);
            let gap = usize::from(!is_line_start);
            if column + gap + word_width <= self.width {
                let to = column + gap;
                self.pad(&mut column, to);
                self.write(&word);
                column += word_width;
            } else {
                if !is_line_start {
                    self.break_line(&mut column, indent);
                }
                for (index, piece) in
                    pieces(&word.text, self.width.saturating_sub(indent).max(2)).into_iter().enumerate()
                {
                    if index > 0 {
                        self.break_line(&mut column, indent);
                    }
                    column += width(&piece);
                    self.write(&StyledText { text: piece, style: word.style });
                }
            }
            is_line_start = false;
        }
        self.end_line();
    }

    fn pad(&mut self, column: &mut usize, to: usize) {
        while *column < to {
            self.text.push(' ');
            *column += 1;
        }
    }

    fn break_line(&mut self, column: &mut usize, indent: usize) {
        self.end_line();
        *column = 0;
        self.pad(column, indent);
    }

    fn end_line(&mut self) {
        self.styled = None;
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// Writes a word. Words of one style on a line share the sequences that turn it on and off.
    fn write(&mut self, word: &StyledText) {
        let Some(code) = word.style.code().filter(|_| self.color && !word.text.is_empty()) else {
            return self.text.push_str(&word.text);
        };
        match self.styled.filter(|(_, known)| *known == code) {
            Some((end, _)) if self.text[end..].bytes().all(|byte| byte == b' ') => {
                self.text.replace_range(end - RESET.len()..end, "");
            }
            _ => self.text.push_str(code),
        }
        self.text.push_str(&word.text);
        self.text.push_str(RESET);
        self.styled = Some((self.text.len(), code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_long_words_only() {
        let mut writer = TextWriter::new(20, false);
        writer.write_words(
            Some(StyledText::plain("id")),
            4,
            [StyledText::plain("x".repeat(40)), StyledText::plain("(estimated)")],
        );
        assert_eq!(
            writer.into_text(),
            format!("id  {0}\n    {0}\n    {1}\n    (estimated)\n", "x".repeat(16), "x".repeat(8))
        );
    }

    #[test]
    fn color_has_no_width() {
        let mut plain = TextWriter::new(20, false);
        let mut colored = TextWriter::new(20, true);
        for writer in [&mut plain, &mut colored] {
            writer.write_words(None, 2, words("one two three four five", Style::Rating(Rating::Bad)));
        }
        let colored = colored.into_text();
        assert_eq!(colored.replace("\x1b[1;31m", "").replace("\x1b[0m", ""), plain.into_text());
        assert_eq!(colored, "  \x1b[1;31mone two three four\x1b[0m\n  \x1b[1;31mfive\x1b[0m\n");
        let mut mixed = TextWriter::new(40, true);
        let red = |text| StyledText::new(text, Style::Rating(Rating::Bad));
        mixed.write_words(Some(red("a")), 3, [red("b"), StyledText::plain("c"), red("d")]);
        assert_eq!(mixed.into_text(), "\x1b[1;31ma  b\x1b[0m c \x1b[1;31md\x1b[0m\n");
    }
}
