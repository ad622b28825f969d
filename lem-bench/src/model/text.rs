//! Text rules that several layers share: counts of things, and characters that cannot be seen.

/// Returns a count with its noun in singular or plural: `1 bench`, `6 benches`.
pub(crate) fn count_of(n: usize, noun: &str) -> String {
    if n == 1 {
        return format!("1 {noun}");
    }
    let ending = if ["ch", "sh", "s", "x"].iter().any(|end| noun.ends_with(end)) { "es" } else { "s" };
    format!("{n} {noun}{ending}")
}

/// Returns whether a character has no width or changes the direction of the text after it: soft hyphens, zero-width
/// spaces, line and paragraph separators, bidirectional controls.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_a_plural() {
        assert_eq!(count_of(1, "bench"), "1 bench");
        assert_eq!(count_of(2, "bench"), "2 benches");
        assert_eq!(count_of(0, "cycle"), "0 cycles");
    }
}
