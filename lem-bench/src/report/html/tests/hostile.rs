//! Names that attack the pages, and what the pages ask of elsewhere: nothing.

use std::collections::BTreeSet;

use super::markup::parse;
use super::{all, folder};

#[test]
fn nothing_that_a_user_names_is_markup() {
    const TAGS: &str = "!DOCTYPE a b body caption circle code dd desc details div dl dt ellipse form figcaption figure h1 h2 h3 \
                        head header html input label li line main meta nav option output p path polygon polyline pre rect script section select span style summary \
                        svg table tbody td text th thead title tr ul";
    for (name, summary) in all() {
        for (path, page) in folder(&summary) {
            let (tags, text) = parse(&page);
            for (tag, attributes) in tags {
                assert!(TAGS.split_whitespace().any(|known| known == tag), "{name}: <{tag}>");
                assert!(attributes.keys().all(|key| !key.starts_with("on") && key != "src" && key != "style"), "{tag}");
            }
            assert!(!page.contains(['\u{202E}', '\u{2066}', '\x1b']), "{name}");
            assert_eq!(text.contains("&lt;script&gt;"), name == "hostile", "{path}");
            assert_eq!(text.contains("{{ 7*7 }}"), name == "hostile", "{path}");
        }
    }
}

#[test]
fn nothing_is_asked_of_elsewhere() {
    for (name, summary) in all() {
        for (path, page) in folder(&summary) {
            let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for address in ["http:", "https:", "url(", "@import", "<link"] {
                assert!(!page.contains(address), "{name}: {path}: {address}");
            }
        }
    }
}

#[test]
fn what_a_label_or_link_points_at_is_there_once() {
    for (name, summary) in all() {
        let pages = folder(&summary);
        for (path, page) in &pages {
            let (tags, _) = parse(page);
            let values = |key: &str| tags.iter().filter_map(|(_, a)| a.get(key).cloned()).collect::<Vec<_>>();
            let ids = values("id");
            let set: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(set.len(), ids.len(), "an id stands twice");
            for target in values("aria-labelledby").iter().flat_map(|l| l.split(' ')) {
                assert!(ids.iter().any(|id| id == target), "{name}: {path}: #{target} is not there");
            }
            for link in values("href") {
                let there = match link.strip_prefix('#') {
                    Some(target) => ids.iter().any(|id| id == target),
                    None if path == "index.html" => pages.contains_key(&link),
                    None => link.strip_prefix("../").map_or_else(
                        || pages.contains_key(&format!("benches/{link}")),
                        |link| pages.contains_key(link),
                    ),
                };
                assert!(there, "{name}: {path}: {link} leads nowhere");
            }
        }
    }
}

#[test]
fn a_page_is_called_by_what_every_file_system_takes() {
    for (_, summary) in all() {
        let pages = folder(&summary);
        assert_eq!(pages.len(), summary.benches.len() + 1, "two benches have one page");
        for path in pages.keys() {
            let name = path.strip_prefix("benches/").unwrap_or(path);
            assert!(name.len() < 120, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"=_.-".contains(&b)), "{name}");
        }
    }
}
