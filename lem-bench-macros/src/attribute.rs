//! The attribute: returns the unchanged item, and its registration or the errors.

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::{axes, expand, options, signature};

pub(crate) fn energy_bench(options: TokenStream, item: TokenStream) -> TokenStream {
    let registration = registration(options, item.clone()).unwrap_or_else(syn::Error::into_compile_error);
    let mut tokens = item;
    tokens.extend(registration);
    tokens
}

fn registration(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let options = errors.keep(options::parse(options));
    let bench = errors.keep(signature::parse(item));
    errors.finish()?;
    // Either is `None` only if there is an error.
    let (Some(options), Some(bench)) = (options, bench) else { return Ok(TokenStream::new()) };
    let axes = axes::pair(&options, &bench)?;
    Ok(expand::registration(&options, &bench, &axes))
}
