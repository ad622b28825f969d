//! The known word that somebody probably meant.

/// The word of `known` that is nearest to `word`, if one is near enough to have been meant: at most a third of its
/// letters wrong (Levenshtein's distance).
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, best) = known.into_iter().map(|known| (distance(word, known), known)).min()?;
    (distance <= word.chars().count().max(3) / 3).then_some(best)
}

/// Insertions, deletions and replacements of letters between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let known = ["cycles", "windows", "min-window"];
        assert_eq!(nearest("cycels", known), Some("cycles"));
        assert_eq!(nearest("minwindow", known), Some("min-window"));
        assert_eq!(nearest("threshold", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
