//! What can go wrong while a page is made.
//!
//! Must not know the template engine's or the plotter's types: they may change.

use std::error::Error as StdError;
use std::fmt;

/// A page could not be made. Its message fits "failed to {e}".
#[derive(Debug)]
#[non_exhaustive]
pub enum ReportError {
    /// The template could not be laid out: a fault of this library.
    Template {
        /// What the template engine says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A plot could not be drawn: a fault of this library.
    Plot {
        /// Which plot.
        plot: &'static str,
        /// What the plotter says.
        detail: String,
    },
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template { source } => write!(f, "lay out the page: {source}"),
            Self::Plot { plot, detail } => write!(f, "draw the plot of {plot}: {detail}"),
        }
    }
}

impl StdError for ReportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Template { source } => Some(source.as_ref()),
            Self::Plot { .. } => None,
        }
    }
}
