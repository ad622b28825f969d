//! A strict HTML parser for the tests.

use std::collections::BTreeMap;

/// A tag's name and its attributes.
pub(super) type Tag = (String, BTreeMap<String, String>);

/// Returns the tags of a page with their attributes, and the text between them.
///
/// Panics if a tag is not closed in order, or an attribute has no quotes.
pub(super) fn parse(page: &str) -> (Vec<Tag>, String) {
    const VOID: [&str; 4] = ["meta", "!DOCTYPE", "input", "link"];
    const FLAGS: [&str; 4] = ["hidden", "checked", "open", "selected"];
    let (mut tags, mut text, mut open) = (Vec::new(), String::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "…{before}</{name}>");
            continue;
        }
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        let mut parsed = BTreeMap::new();
        let mut left = attributes.trim().trim_end_matches('/').trim();
        while !left.is_empty() && name != "!DOCTYPE" {
            if let Some(after) = FLAGS.iter().find_map(|flag| left.strip_prefix(flag)).filter(|l| !l.starts_with('=')) {
                left = after.trim();
                continue;
            }
            let (key, value) = left.split_once("=\"").unwrap_or_else(|| panic!("{tag}"));
            let (value, after) = value.split_once('"').unwrap();
            assert!(parsed.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice in {tag}");
            left = after.trim();
        }
        if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name.to_owned());
        }
        if matches!(name, "style" | "script") {
            rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
        }
        tags.push((name.to_owned(), parsed));
    }
    assert!(open.is_empty(), "{open:?}");
    (tags, text)
}
