//! XML 1.0: text that is no markup, and the properties of JUnit's elements.
//!
//! Must not know what is written in it.

/// A line of a `String`, which can be written to without failing.
macro_rules! put {
    ($text:expr, $($what:tt)*) => {{
        let text: &mut String = $text;
        let _ = std::fmt::Write::write_fmt(text, format_args!($($what)*));
        text.push('\n');
    }};
}
pub(super) use put;

/// JUnit's properties, each line `indent` deep.
pub(super) fn put_properties(text: &mut String, indent: &str, properties: &[(String, String)]) {
    put!(text, "{indent}<properties>");
    for (name, value) in properties {
        put!(text, "{indent}  <property name=\"{}\" value=\"{}\"/>", escape(name), escape(value));
    }
    put!(text, "{indent}</properties>");
}

/// Text in an attribute of XML 1.0, where parsers turn the end of a line into a space unless it is written so.
pub(super) fn escape(text: &str) -> String {
    escape_text(text).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

/// Text between tags of XML 1.0. Characters that XML does not know at all are made visible.
pub(super) fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}
