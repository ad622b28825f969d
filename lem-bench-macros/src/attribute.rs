//! The attribute: returns the item, and its registration or the errors.

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use crate::{axes, expand, options, signature};

pub(crate) fn energy_bench(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = errors.keep(options::parse(options));
    let bench = errors.keep(signature::parse(item.clone()));
    let registration = match (options, bench, errors.finish()) {
        (Some(options), Some(bench), Ok(())) => axes::pair(&options, &bench).map(|axes| {
            let registration = expand::registration(&options, &bench, &axes);
            let item = if bench.by_value { expand::by_value(&options, &bench, item.clone()) } else { item.clone() };
            quote!(#item #registration)
        }),
        (_, _, Err(error)) => Err(error),
        // Either is `None` only if there is an error.
        _ => Ok(TokenStream::new()),
    };
    registration.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#item #error)
    })
}
