//! The templates: laid out with everything escaped that is not markup of our own.
//!
//! Must not know what the pages say.

use std::io::Write;

use serde::Serialize;
use tera::{Context, Kwargs, State, Tera, Value};

use super::error::ReportError;
use super::plots::svg::escape;

const TEMPLATES: [(&str, &str); 6] = [
    ("parts.html", include_str!("templates/parts.html")),
    ("base.html", include_str!("templates/base.html")),
    ("index.html", include_str!("templates/index.html")),
    ("bench.html", include_str!("templates/bench.html")),
    ("compare.html", include_str!("templates/compare.html")),
    ("history.html", include_str!("templates/history.html")),
];

/// Templates, read and ready.
pub(super) struct Engine(Tera);

impl Engine {
    /// Reads the templates.
    ///
    /// # Errors
    /// [`ReportError::Template`] when one is not well-formed: a fault of this library.
    pub(super) fn new() -> Result<Self, ReportError> {
        let mut tera = Tera::default();
        tera.set_escape_fn(|text: &str, to: &mut dyn Write| to.write_all(escape(text).as_bytes()));
        tera.register_filter("code", |text: &str, _: Kwargs, _: &State<'_>| Value::safe_string(&code(text)));
        tera.add_raw_templates(TEMPLATES).map_err(fault)?;
        Ok(Self(tera))
    }

    /// Lays out `page` by `template`.
    ///
    /// # Errors
    /// [`ReportError::Template`] when the two don't fit: a fault of this library.
    pub(super) fn lay_out(&self, template: &str, page: &impl Serialize) -> Result<Vec<u8>, ReportError> {
        let mut context = Context::new();
        context.insert("page", page);
        self.0.render(template, &context).map(String::into_bytes).map_err(fault)
    }
}

/// A sentence of the reports as markup: what stands between backticks is code, everything is escaped.
fn code(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without its twin is one.
        return escape(text);
    }
    let marked = parts.iter().enumerate().map(|(n, part)| match n % 2 {
        0 => part.clone(),
        _ => format!("<code>{part}</code>"),
    });
    marked.collect()
}

fn fault(error: tera::Error) -> ReportError {
    ReportError::Template { source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_is_markup() {
        assert_eq!(code("run `top`, then `a < b`"), "run <code>top</code>, then <code>a &lt; b</code>");
        assert_eq!(code("one ` alone & <b>"), "one ` alone &amp; &lt;b&gt;");
        assert_eq!(code("`<script>`"), "<code>&lt;script&gt;</code>");
    }
}
