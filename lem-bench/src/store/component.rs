//! What may be one component of a path on every file system that we meet.
//!
//! Must not know what it names.

/// Names that Windows keeps for devices, with any extension and in any case.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The same, followed by one digit.
const RESERVED_NUMBERED: [&str; 2] = ["com", "lpt"];

/// Whether a name would mean a device on Windows: `nul`, `COM1.txt`.
pub(super) fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |prefix: &&str| {
        stem.strip_prefix(*prefix).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    RESERVED.contains(&stem.as_str()) || RESERVED_NUMBERED.iter().any(numbered)
}

/// Why a text from outside may not be a component of a path as it stands; `None` when it may.
pub(super) fn objection(text: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() {
        Some("it is empty")
    } else if text.len() > 100 {
        Some("it is longer than 100 characters")
    } else if !text.chars().all(plain) {
        Some("it holds a character other than letters, digits, `.`, `_` and `-`")
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("it does not begin with a letter or digit")
    } else if text.ends_with('.') {
        Some("it ends with a dot")
    } else if is_reserved(text) {
        Some("it is the name of a device on Windows")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_folder_is_objected_to() {
        let long = "x".repeat(101);
        for bad in
            ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0b", "nul", "CON.txt", "Lpt9", "x.", "-rf", &long, "ä"]
        {
            assert!(objection(bad).is_some(), "{bad:?}");
        }
        for good in ["a", "nextest-4f1c", "2026-11-23T14-05-33Z-a1b2", "console", "com", "com10", "a..b"] {
            assert_eq!(objection(good), None, "{good:?}");
        }
    }
}
