//! Colours, text styles and text escaping of plots.
//!
//! The colours are those of Okabe and Ito (2008, *Color Universal Design*), which people with colour blindness can
//! distinguish, and light tints for backgrounds. They fit a light page, so a plot that is saved from the page stays
//! readable. The style sheet lists each colour again as an attribute selector and replaces it on a dark page.

use std::borrow::Cow;

use plotters::prelude::*;

use crate::model::{SpanKind, is_invisible};
use crate::report::terminal_text::clean;

/// Text and axes: `#222222`.
pub(in super::super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Grid lines: `#D8D8D8`.
pub(super) const GRID: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);
/// The inside of hollow dots: `#FFFFFF`.
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Lines, one per domain or series: `#0072B2`, `#D55E00`, `#009E73`, `#CC79A7`, `#E69F00`, `#56B4E9`.
pub(in super::super) const LINES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];

/// The background of a span: windows `#CFE4F4`, warm-up `#FBE5C4`, ramps `#E6DDF0`, rest `#EFEFEF`.
pub(super) fn span_tint(kind: SpanKind) -> RGBColor {
    match kind {
        SpanKind::Window => RGBColor(0xCF, 0xE4, 0xF4),
        SpanKind::WarmUp => RGBColor(0xFB, 0xE5, 0xC4),
        SpanKind::RampIn | SpanKind::RampOut => RGBColor(0xE6, 0xDD, 0xF0),
        SpanKind::Idle | SpanKind::Gap => RGBColor(0xEF, 0xEF, 0xEF),
    }
}

/// The colour in the notation of the style sheet: `#0072B2`.
pub(in super::super) fn hex(color: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}

/// Sans-serif text of `size` pixels in [`INK`].
pub(super) fn text_style<'a>(size: u32) -> TextStyle<'a> {
    ("sans-serif", size).into_font().color(&INK)
}

/// `text` escaped for HTML and SVG. Invisible and control characters become visible.
pub(in super::super) fn escape(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| match c {
        '&' | '<' | '>' | '"' | '\'' => false,
        ' '..='~' => true,
        c => !(c.is_control() || is_invisible(c)),
    };
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().find(|c| !is_plain(*c)) {
        let (plain, others) = rest.split_once(c).unwrap_or((rest, ""));
        escaped.push_str(plain);
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push_str(&clean(c.encode_utf8(&mut [0; 4]))),
        }
        rest = others;
    }
    escaped.push_str(rest);
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_sheet_maps_every_colour() {
        let style = include_str!("../templates/style.css");
        let tints = [SpanKind::Window, SpanKind::WarmUp, SpanKind::RampIn, SpanKind::Gap].map(span_tint);
        for color in [INK, GRID, PAPER].into_iter().chain(LINES).chain(tints) {
            let selector = format!("=\"{}\"]", hex(color));
            assert!(style.contains(&selector), "{selector} has no rule");
        }
    }

    #[test]
    fn escapes_markup_and_invisible_characters() {
        assert_eq!(escape("0.41 … 0.42 J ±2 %"), Cow::Borrowed("0.41 … 0.42 J ±2 %"));
        assert_eq!(escape("<a href=\"x\"> & 'é'"), "&lt;a href=&quot;x&quot;&gt; &amp; &#39;é&#39;");
        assert_eq!(escape("a\tb\r\n\u{202E}c\u{7}"), "a b \\u{202e}c\\u{7}");
    }
}
