//! Ids: `group/name/axis=label/axis=label`, on one line, and no two cases alike unless they are.
//!
//! Must not know what an id stands for.

use std::fmt::Write as _;

use crate::model::is_invisible;

/// The id of a case. A `/` in a group or a name stays (`llama/7b` is a path on purpose); in a label it becomes `%2F`.
pub(super) fn id<'a>(group: Option<&str>, name: &str, params: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut id = String::new();
    if let Some(group) = group {
        escape(group, |c| c == '/', &mut id);
        id.push('/');
    }
    escape(name, |c| c == '/', &mut id);
    for (axis, label) in params {
        id.push('/');
        id.push_str(axis);
        id.push('=');
        escape(label, |_| false, &mut id);
    }
    id
}

/// Appends `text`, with everything that would break a line, hide in a terminal, be trimmed away or be taken for a
/// flag as `%XX` (the bytes of its UTF-8). `%` itself is escaped too, so that two texts never become one.
fn escape(text: &str, keep: fn(char) -> bool, id: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let plain = match c {
            '/' => keep(c),
            '%' => false,
            // A bench called `--list` could not be asked for by `--exact`.
            '-' => !id.is_empty(),
            ' ' => at != 0 && at != last,
            _ => !(c.is_control() || c.is_whitespace() || is_invisible(c)),
        };
        if plain {
            id.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a `String` does not fail.
                let _ = write!(id, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_label(label: &str) -> String {
        id(None, "b", [("x", label)].into_iter())
    }

    #[test]
    fn an_id_is_group_name_and_parameters() {
        let params = [("batch", "4"), ("dtype", "bf16")];
        assert_eq!(id(None, "decode", params.into_iter()), "decode/batch=4/dtype=bf16");
        assert_eq!(id(Some("llama/7b"), "decode", params.into_iter()), "llama/7b/decode/batch=4/dtype=bf16");
        assert_eq!(id(None, "decode", std::iter::empty()), "decode");
    }

    #[test]
    fn labels_stay_on_one_line_and_in_one_piece() {
        assert_eq!(of_label("org/model"), "b/x=org%2Fmodel");
        assert_eq!(of_label("a\nb\t\u{1b}[0m\u{7f}"), "b/x=a%0Ab%09%1B[0m%7F");
        assert_eq!(of_label("a\u{2028}b\u{202e}c"), "b/x=a%E2%80%A8b%E2%80%AEc");
        assert_eq!(of_label("two words: benchmark"), "b/x=two words: benchmark");
        assert_eq!(of_label(" padded "), "b/x=%20padded%20");
        assert_eq!(of_label(" "), "b/x=%20");
        assert_eq!(of_label("größe=-1"), "b/x=größe=-1");
        assert_eq!(of_label(""), "b/x=");
    }

    #[test]
    fn an_id_is_never_taken_for_a_flag() {
        assert_eq!(id(None, "--list", std::iter::empty()), "%2D-list");
        assert_eq!(id(Some("-g"), "-n", std::iter::empty()), "%2Dg/-n");
    }

    #[test]
    fn two_labels_never_become_one() {
        let labels = ["/", "%2F", "%252F", "\n", "%0A", " ", "%20", "", "%", "%%"];
        let ids: std::collections::BTreeSet<_> = labels.iter().map(|label| of_label(label)).collect();
        assert_eq!(ids.len(), labels.len());
    }
}
