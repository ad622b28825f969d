//! What every plot shares: its open tag with a name and a description for those who don't see it, its axes' look.
//!
//! Must not know what is drawn.

use std::fmt::Write as _;

use plotters::prelude::*;

use super::super::error::ReportError;
use super::palette;
use crate::report::terminal_text::clean;

/// A plot and what it is called.
pub(in super::super) struct Drawing<'a> {
    /// Its width and height in its own units.
    pub(in super::super) size: (u32, u32),
    /// Its class in the style sheet.
    pub(in super::super) class: &'a str,
    /// An id that no other plot of the page has.
    pub(in super::super) id: &'a str,
    /// What it shows, in a few words.
    pub(in super::super) title: &'a str,
    /// What is to be seen on it.
    pub(in super::super) description: &'a str,
}

impl Drawing<'_> {
    /// Draws it by `draw`.
    ///
    /// # Errors
    /// [`ReportError::Plot`] with what the plotter says.
    pub(in super::super) fn svg<F>(&self, plot: &'static str, draw: F) -> Result<String, ReportError>
    where
        F: FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), Box<dyn std::error::Error>>,
    {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, self.size).into_drawing_area();
            let drawn = draw(&area).and_then(|()| area.present().map_err(Into::into));
            drawn.map_err(|error| ReportError::Plot { plot, detail: error.to_string() })?;
        }
        Ok(self.named(&svg))
    }

    /// The plotter's open tag has a fixed size and no name: it is replaced.
    fn named(&self, svg: &str) -> String {
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let (width, height) = self.size;
        let mut named = String::with_capacity(svg.len() + 400);
        let id = self.id;
        // Writing to a `String` does not fail.
        let _ = write!(
            named,
            "<svg class=\"plot {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            self.class,
            escape(self.title),
            escape(self.description),
        );
        named.push_str(body);
        named
    }
}

/// Text of an SVG: nothing in it is markup, and nothing in it is invisible.
pub(in super::super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Letters of this size, in ink.
pub(in super::super) fn letters<'a>(size: u32) -> TextStyle<'a> {
    ("sans-serif", size).into_font().color(&palette::INK)
}

/// A number on an axis: as short as it is exact enough.
pub(in super::super) fn tick(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}
