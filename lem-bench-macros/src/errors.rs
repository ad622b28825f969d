//! Collects errors, so that one build reports all of them.

use std::fmt::Display;

use quote::ToTokens;

/// Collected errors.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Adds an error with the span of `at`.
    pub(crate) fn at(&mut self, at: impl ToTokens, text: impl Display) {
        self.push(syn::Error::new_spanned(at, text));
    }

    /// Returns the value, or adds the error and returns `None`.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
