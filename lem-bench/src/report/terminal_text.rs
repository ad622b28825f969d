//! Text for a terminal: how wide it is, how it is shortened, and nothing in it that would move the cursor.
//!
//! Must not know what the text says.

/// Everything that would break a line, move the cursor, colour the rest or turn its direction, made visible.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => clean.push(' '),
            '\r' => {}
            c if c.is_control() || invisible(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// Characters that take no room or turn the direction of what follows.
fn invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
    )
}

/// Columns that a character takes: none for combining marks, two for what East Asian fonts and emoji draw wide (the
/// blocks of Unicode's `EastAsianWidth.txt` that are wide as a whole), else one.
pub(super) fn char_width(c: char) -> usize {
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

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The text in at most `most` columns, cut so that `head` of ten columns are its beginning and the rest its end.
pub(crate) fn shorten(text: &str, most: usize, head: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(1);
    let front = room * head.min(10) / 10;
    let head = fitting(text.chars(), front);
    let tail: String = fitting(text.chars().rev(), room - front).chars().rev().collect();
    if most == 0 { String::new() } else { format!("{head}…{tail}") }
}

/// The text in at most `most` columns, cut at the end.
pub(super) fn shorten_end(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    if most == 0 { String::new() } else { format!("{}…", fitting(text.chars(), most - 1).trim_end()) }
}

fn fitting(chars: impl Iterator<Item = char>, most: usize) -> String {
    let mut taken = 0;
    chars
        .take_while(|&c| {
            taken += char_width(c);
            taken <= most
        })
        .collect()
}

/// The text in pieces of at most `most` columns each (at least one character each).
pub(super) fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut taken = 0;
    for c in text.chars() {
        let wide = char_width(c);
        if taken + wide > most && taken > 0 {
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
    fn nothing_in_a_name_moves_the_cursor() {
        assert_eq!(clean("a\x1b[31mred\r\nb\u{202E}c"), "a\\u{1b}[31mred b\\u{202e}c");
    }

    #[test]
    fn shortened_text_fits_and_keeps_both_ends() {
        assert_eq!(shorten("decode/batch=4/dtype=bf16", 11, 5), "decod…=bf16");
        assert_eq!(shorten("decode/batch=4/dtype=bf16", 11, 0), "…dtype=bf16");
        assert_eq!(shorten_end("the idle power moved", 9), "the idle…");
        for most in 0..30 {
            for text in ["decode/batch=4/dtype=bf16", "解码/批量=四/精度=半", "e\u{301}e\u{301}e\u{301}"] {
                assert!((0..=10).all(|head| width(&shorten(text, most, head)) <= most));
                assert!(width(&shorten_end(text, most)) <= most);
                assert_eq!(pieces(text, most.max(2)).concat(), text);
                assert!(pieces(text, most.max(2)).iter().all(|piece| width(piece) <= most.max(2)));
            }
        }
    }
}
