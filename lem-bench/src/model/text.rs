//! Text rules that several layers share: counts of things, and characters that cannot be seen.

use std::fmt::Display;

/// Returns a count with its noun in singular or plural: `1 bench`, `6 benches`.
pub(crate) fn count_of<N: Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    if n == N::from(1) {
        return format!("1 {noun}");
    }
    let ending = if ["ch", "sh", "s", "x"].iter().any(|end| noun.ends_with(end)) { "es" } else { "s" };
    format!("{n} {noun}{ending}")
}

/// Returns the verb after a count: `is` of one, `are` of several.
pub(crate) const fn is_or_are(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// Returns whether a character has no width or changes the direction of the text after it: soft hyphens, zero-width
/// spaces, line and paragraph separators, bidirectional controls.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
    )
}

/// Returns the 64-bit hash FNV-1a (Fowler, Noll, Vo 1991) of an id.
pub fn id_hash(id: &str) -> u64 {
    fnv1a64(id.as_bytes())
}

/// Returns the 64-bit hash FNV-1a (Fowler, Noll, Vo 1991) of `bytes`.
pub fn fnv1a64(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_a_plural() {
        assert_eq!(count_of(1, "bench"), "1 bench");
        assert_eq!(count_of(2, "bench"), "2 benches");
        assert_eq!(count_of(0_u64, "cycle"), "0 cycles");
        assert_eq!([1, 2].map(is_or_are), ["is", "are"]);
    }

    #[test]
    fn matches_test_vectors() {
        // The authors' test vectors.
        assert_eq!(id_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(id_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(id_hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
