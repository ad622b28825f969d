//! A bench's id as a file name: readable, and different for different ids on every file system.
//!
//! Must not know what the file holds.

use super::component::is_reserved;
use crate::model::id_hash;

/// Longest readable part, in characters.
const READABLE: usize = 80;

/// A name for a file or folder of the bench `id`: what is readable of the id, then `-` and 12 hexadecimal digits of a
/// hash of the whole id.
///
/// It is one component of a path that no file system objects to, at most 94 ASCII characters long. Ids that differ
/// have different slugs also where file names don't tell upper from lower case, up to a chance of one in 2⁴⁸ for each
/// pair.
///
/// ```
/// assert_eq!(lem_bench::store::slug("decode/batch=4/dtype=bf16"), "decode-batch=4-dtype=bf16-21a89dfbaea7");
/// ```
#[must_use = "this names a file; it does not make one"]
pub fn slug(id: &str) -> String {
    let mut slug = String::with_capacity(READABLE + 14);
    for c in id.chars() {
        let keep = c.is_ascii_alphanumeric() || matches!(c, '=' | '_' | '.');
        if keep {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == READABLE {
            break;
        }
    }
    let readable = slug.trim_matches(['-', '.']);
    let prefix = if readable.is_empty() || is_reserved(readable) { "bench-" } else { "" };
    format!("{prefix}{readable}-{:012x}", id_hash(id) >> 16)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hostile_ids_make_harmless_and_different_names() {
        let long = "decode/".repeat(43);
        let longer = format!("{long}x");
        let ids = [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "/etc/passwd",
            "C:\\x",
            "a\0b",
            "a\nb",
            "NUL",
            "con",
            "aux.h",
            "com1.x",
            "-rf",
            "a/b",
            "a b",
            "a-b",
            "a:b",
            "Decode",
            "decode",
            "DECODE",
            "décode",
            "解码",
            "🔥",
            "a.",
            "a",
            " a",
            &long,
            &longer,
            "…",
            "a//b",
            ".hidden",
            "bench",
        ];
        let mut seen = HashSet::new();
        for id in ids {
            let slug = slug(id);
            assert!(slug.len() <= READABLE + 6 + 13, "{slug}");
            assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric() || b"=_.-".contains(&b)), "{slug}");
            assert!(!slug.starts_with(['.', '-']) && !slug.ends_with('.'), "{slug}");
            assert!(!is_reserved(&slug), "{slug}");
            assert!(seen.insert(slug.to_ascii_lowercase()), "{id:?} collides: {slug}");
        }
    }

    #[test]
    fn slugs_stay_readable() {
        assert!(slug("decode/batch=4/dtype=bf16").starts_with("decode-batch=4-dtype=bf16-"));
        assert!(slug("temperature=0.5").starts_with("temperature=0.5-"));
    }
}
