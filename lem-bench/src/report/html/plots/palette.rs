//! Colours of the plots: of Okabe and Ito (2008), which colour-blind people can tell apart, and light tints for bands.
//!
//! These are the light page's. The style sheet names each again as an attribute selector and turns it for the dark
//! page, so a plot that is saved from the page stays readable by itself. Must not know what is drawn.

use plotters::style::RGBColor;

use crate::model::SpanKind;

/// Text and axes: `#222222`.
pub(in super::super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Grid lines: `#D8D8D8`.
pub(in super::super) const GRID: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);
/// The page under a hollow mark: `#FFFFFF`.
pub(in super::super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Lines, one a domain: `#0072B2`, `#D55E00`, `#009E73`, `#CC79A7`, `#E69F00`, `#56B4E9`.
pub(in super::super) const LINES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];

/// The tint of a band: windows `#CFE4F4`, warm-up `#FBE5C4`, ramps `#E6DDF0`, rest `#EFEFEF`.
pub(in super::super) fn band(kind: SpanKind) -> RGBColor {
    match kind {
        SpanKind::Window => RGBColor(0xCF, 0xE4, 0xF4),
        SpanKind::WarmUp => RGBColor(0xFB, 0xE5, 0xC4),
        SpanKind::RampIn | SpanKind::RampOut => RGBColor(0xE6, 0xDD, 0xF0),
        SpanKind::Idle | SpanKind::Gap => RGBColor(0xEF, 0xEF, 0xEF),
    }
}

/// A colour as the style sheet and SVG write it.
pub(in super::super) fn hex(color: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_turns_every_colour_for_the_dark_page() {
        let style = include_str!("../templates/style.css");
        let bands = [SpanKind::Window, SpanKind::WarmUp, SpanKind::RampIn, SpanKind::Gap].map(band);
        for color in [INK, GRID, PAPER].into_iter().chain(LINES).chain(bands) {
            let selector = format!("=\"{}\"]", hex(color));
            assert!(style.contains(&selector), "{selector} has no rule");
        }
    }
}
