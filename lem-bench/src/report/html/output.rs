//! What a report consists of: files and their paths, the templates that make them, or the error that prevented one.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;

use serde::Serialize;
use tera::{Context, Kwargs, State, Tera, Value};

use super::plots::style::escape;
use super::view::RunView;

/// The templates by file name.
const TEMPLATES: [(&str, &str); 6] = [
    ("parts.html", include_str!("templates/parts.html")),
    ("base.html", include_str!("templates/base.html")),
    ("index.html", include_str!("templates/index.html")),
    ("bench.html", include_str!("templates/bench.html")),
    ("compare.html", include_str!("templates/compare.html")),
    ("history.html", include_str!("templates/history.html")),
];

/// The style sheet of every page.
const STYLE: &str = include_str!("templates/style.css");

/// The rules of the pages with a table of all benches. Those of single benches leave them out.
const OVERVIEW_STYLE: &str = include_str!("templates/overview.css");

/// The script of the index: it sorts, filters and groups the tables. The template allows it by its hash, which
/// `tests/browser` checks.
const SCRIPT: &str = include_str!("templates/index.js");

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// The path in the report's folder, with `/` as separator: `index.html`, `benches/decode-….html`. Every name in it
    /// is valid on every file system.
    pub path: String,
    /// The content: HTML in UTF-8.
    pub bytes: Vec<u8>,
}

/// Turns a bench id into a file name that is valid on every file system and differs for every id.
pub type FileName = fn(&str) -> String;

/// Returns the path of the page of the bench with this id.
pub(super) fn bench_page_path(id: &str, file_name: FileName) -> String {
    format!("benches/{}.html", file_name(id))
}

/// A page could not be made. The message completes "failed to …".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A template could not be rendered. This is a bug in lem-bench.
    #[error("render the page: {source}")]
    Template {
        /// The error of the template engine.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A plot could not be drawn. This is a bug in lem-bench.
    #[error("draw the plot of {plot}: {detail}")]
    Plot {
        /// What the plot shows.
        plot: &'static str,
        /// The message of the plotter.
        detail: String,
    },
}

/// Parsed templates and the data that all pages share.
pub(super) struct Engine {
    tera: Tera,
    shared: Context,
}

impl Engine {
    /// Parses the templates.
    ///
    /// # Errors
    /// [`ReportError::Template`] if a template is not well-formed.
    pub fn new() -> Result<Self, ReportError> {
        let mut tera = Tera::default();
        tera.set_escape_fn(|text: &str, out: &mut dyn Write| out.write_all(escape(text).as_bytes()));
        tera.register_filter("code", |text: &str, _: Kwargs, _: &State<'_>| Value::safe_string(&code_spans(text)));
        tera.add_raw_templates(TEMPLATES).map_err(template_error)?;
        let mut shared = Context::new();
        shared.insert_value("style", Value::safe_string(STYLE));
        shared.insert_value("overview_style", Value::safe_string(OVERVIEW_STYLE));
        shared.insert_value("script", Value::safe_string(SCRIPT));
        Ok(Self { tera, shared })
    }

    /// Parses the templates for pages that describe `run`.
    ///
    /// # Errors
    /// [`ReportError::Template`] if a template is not well-formed.
    pub fn for_run(run: &RunView) -> Result<Self, ReportError> {
        let mut engine = Self::new()?;
        engine.shared.insert("run", run);
        Ok(engine)
    }

    /// Renders `page` with `template` into the file at `path`.
    ///
    /// # Errors
    /// [`ReportError::Template`] if the template does not fit the page.
    pub fn render(&self, template: &str, page: &impl Serialize, path: String) -> Result<PageFile, ReportError> {
        let mut context = self.shared.clone();
        context.insert("page", page);
        let html = self.tera.render(template, &context).map_err(template_error)?;
        Ok(PageFile { path, bytes: html.into_bytes() })
    }
}

/// `text` as HTML, with the parts between backticks as `<code>`. An unpaired backtick is printed.
fn code_spans(text: &str) -> String {
    let parts: Vec<Cow<'_, str>> = text.split('`').map(escape).collect();
    if parts.len().is_multiple_of(2) {
        return escape(text).into_owned();
    }
    let parts = parts.iter().enumerate().map(|(index, part)| match index % 2 {
        0 => part.to_string(),
        _ => format!("<code>{part}</code>"),
    });
    parts.collect()
}

fn template_error(error: tera::Error) -> ReportError {
    ReportError::Template { source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_are_marked_and_escaped() {
        assert_eq!(code_spans("run `top`, then `a < b`"), "run <code>top</code>, then <code>a &lt; b</code>");
        assert_eq!(code_spans("one ` alone & <b>"), "one ` alone &amp; &lt;b&gt;");
        assert_eq!(code_spans("`<script>`"), "<code>&lt;script&gt;</code>");
    }
}
