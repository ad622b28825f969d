//! Text for a terminal: its width in columns, ways to shorten it, and escapes for control characters.

use crate::model::is_invisible;

/// Escapes the characters that would break a line, move the cursor, set a colour or change the text direction. Line
/// feeds and tabs become spaces.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => clean.push(' '),
            '\r' => {}
            c if c.is_control() || is_invisible(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// Returns the columns that a character takes: none for combining marks, two for wide East Asian characters and emoji
/// (the blocks that are wide as a whole in Unicode's `EastAsianWidth.txt`), otherwise one.
fn char_width(c: char) -> usize {
    match c as u32 {
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0x33FF
        | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF
        | 0xA000..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// Returns the columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Shortens a text to at most `max` columns. Of ten columns that are kept, `head` are from its start and the rest from
/// its end.
pub(crate) fn shorten(text: &str, max: usize, head: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let room = max.saturating_sub(1);
    let front = room * head.min(10) / 10;
    let head = fitting(text.chars(), front);
    let tail: String = fitting(text.chars().rev(), room - front).chars().rev().collect();
    if max == 0 { String::new() } else { format!("{head}…{tail}") }
}

/// Shortens a text to at most `max` columns by cutting its end.
pub(super) fn shorten_end(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    if max == 0 { String::new() } else { format!("{}…", fitting(text.chars(), max - 1).trim_end()) }
}

/// Returns the characters that fit into `max` columns.
fn fitting(chars: impl Iterator<Item = char>, max: usize) -> String {
    let mut taken = 0;
    chars
        .take_while(|&c| {
            taken += char_width(c);
            taken <= max
        })
        .collect()
}

/// Splits a text into pieces of at most `max` columns, with at least one character each.
pub(super) fn pieces(text: &str, max: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut taken = 0;
    for c in text.chars() {
        let wide = char_width(c);
        if taken + wide > max && taken > 0 {
            pieces.push(String::new());
            taken = 0;
        }
        taken += wide;
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_control_characters() {
        assert_eq!(clean("a\x1b[31mred\r\nb\u{202E}c"), "a\\u{1b}[31mred b\\u{202e}c");
    }

    #[test]
    fn shortened_text_fits() {
        assert_eq!(shorten("decode/batch=4/dtype=bf16", 11, 5), "decod…=bf16");
        assert_eq!(shorten("decode/batch=4/dtype=bf16", 11, 0), "…dtype=bf16");
        assert_eq!(shorten_end("the idle power moved", 9), "the idle…");
        for max in 0..30 {
            for text in ["decode/batch=4/dtype=bf16", "解码/批量=四/精度=半", "e\u{301}e\u{301}e\u{301}"] {
                assert!((0..=10).all(|head| width(&shorten(text, max, head)) <= max));
                assert!(width(&shorten_end(text, max)) <= max);
                assert_eq!(pieces(text, max.max(2)).concat(), text);
                assert!(pieces(text, max.max(2)).iter().all(|piece| width(piece) <= max.max(2)));
            }
        }
    }
}
