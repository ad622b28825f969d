//! Generates the registration of a bench.
//!
//! All names are the user's own or in `__private`, so that users cannot shadow them. Spans are those of the parameter
//! type, the values or the return type, so that compiler errors point there.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::axes::Axis;
use crate::options::{Ignore, Options};
use crate::signature::{Bench, Param};

/// Returns a span that resolves names at the attribute and reports errors at `span`.
fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Returns a hygienic identifier for a parameter of the generated functions.
fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}

/// Returns the path of `lem_bench`.
fn krate(options: &Options) -> TokenStream {
    options.krate.as_ref().map_or_else(|| quote!(::lem_bench), |path| quote!(#path))
}

/// Returns a function with a bencher by value, with an import of its methods for functions without the prelude. A `b: Bencher`
/// becomes mutable, since the methods of the setup change it.
pub(crate) fn by_value(options: &Options, bench: &Bench, function: TokenStream) -> TokenStream {
    let krate = krate(options);
    let mut tokens: Vec<TokenTree> = function.into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.last_mut()
        && body.delimiter() == Delimiter::Brace
    {
        let mut statements: Vec<TokenTree> = body.stream().into_iter().collect();
        // Inner attributes stay first.
        let is_punct = |token: Option<&TokenTree>, c| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == c);
        let mut attributes = 0;
        while is_punct(statements.get(attributes), '#') && is_punct(statements.get(attributes + 1), '!') {
            attributes += 3;
        }
        let statements_after = statements.split_off(attributes.min(statements.len()));
        let rebind = bench.variable.as_ref().map(|b| {
            let lint = quote!(allow(unused_mut));
            // As if the user had written it, so that errors name the variable.
            quote_spanned!(b.span()=> #[#lint] let mut #b = #b;)
        });
        let inner = statements.into_iter().collect::<TokenStream>();
        let rest = statements_after.into_iter().collect::<TokenStream>();
        let stream = quote!(#inner use #krate::__private::BencherByValue as _; #rebind #rest);
        let mut changed = Group::new(Delimiter::Brace, stream);
        changed.set_span(body.span());
        *body = changed;
    }
    tokens.into_iter().collect()
}

pub(crate) fn registration(options: &Options, bench: &Bench, axes: &[Axis<'_>]) -> TokenStream {
    let krate = krate(options);
    let traits = (!axes.is_empty()).then(|| quote!(, ViaAxis as _, ViaDebug as _, ViaNothing as _));
    let axes_fn = axes_fn(axes);
    let filter_fn = filter_fn(options, bench);
    let run_fn = run_fn(bench);
    let entry = entry(options, bench, !axes.is_empty());
    let conditions = &bench.conditions;
    quote! {
        #(#conditions)*
        const _: () = {
            use #krate::__private::{self as __lem_bench #traits};
            #axes_fn
            #filter_fn
            #run_fn
            __lem_bench::submit! { #entry }
        };
    }
}

fn axes_fn(axes: &[Axis<'_>]) -> Option<TokenStream> {
    let axes: Vec<TokenStream> = axes.iter().map(axis).collect();
    (!axes.is_empty()).then(|| {
        quote! {
            fn __lem_bench_axes() -> __lem_bench::Vec<__lem_bench::AxisSpec> {
                __lem_bench::vec![#(#axes),*]
            }
        }
    })
}

/// Generates an axis. Method resolution of the codec needs the concrete type.
fn axis(Axis { param, values }: &Axis<'_>) -> TokenStream {
    let Param { name, ty, .. } = param;
    let span = at(ty.span());
    let ty = stored(param, ty, span);
    let codec = quote_spanned!(span=> (&&&__lem_bench::Kind::<#ty>::NEW).__lem_bench_codec());
    quote_spanned!(at(values.span())=> __lem_bench::axis::<#ty, _>(#name, #codec, #values))
}

fn stored(param: &Param, ty: &Type, span: Span) -> TokenStream {
    if param.by_ref { quote_spanned!(span=> <#ty as __lem_bench::ByRef>::Stored) } else { quote!(#ty) }
}

fn filter_fn(options: &Options, bench: &Bench) -> Option<TokenStream> {
    options.filter.as_ref().map(|filter| {
        let case = local("__lem_bench_case", filter.span());
        let span = at(filter.span());
        let arguments = arguments(bench, &case, |_| span);
        let call = quote_spanned!(span=> #filter(#(#arguments),*));
        quote! {
            fn __lem_bench_filter(#case: &__lem_bench::CaseValues) -> __lem_bench::bool {
                #call
            }
        }
    })
}

fn run_fn(bench: &Bench) -> TokenStream {
    let Bench { ident, bencher, output, .. } = bench;
    let case = local(if bench.params.is_empty() { "_case" } else { "__lem_bench_case" }, *bencher);
    let b = local("__lem_bench_b", *bencher);
    let arguments = arguments(bench, &case, |param| at(param.ty.span()));
    let argument = if bench.by_value { quote!(#b.reborrow()) } else { quote!(#b) };
    let call = quote_spanned!(at(*output)=> #ident(#argument #(, #arguments)*));
    quote! {
        fn __lem_bench_run(
            #b: &mut __lem_bench::Bencher<'_>,
            #case: &__lem_bench::CaseValues,
        ) -> __lem_bench::BenchReturn {
            __lem_bench::finish(#call)
        }
    }
}

/// Generates the arguments after the bencher. Errors are reported at `span`.
fn arguments(bench: &Bench, case: &Ident, span: impl Fn(&Param) -> Span) -> Vec<TokenStream> {
    let argument = |(index, param): (usize, &Param)| {
        let ty = &param.ty;
        let take = if param.by_ref { quote!(by_ref) } else { quote!(by_value) };
        quote_spanned!(span(param)=> __lem_bench::#take::<#ty>(#case, #index))
    };
    bench.params.iter().enumerate().map(argument).collect()
}

fn entry(options: &Options, bench: &Bench, has_axes: bool) -> TokenStream {
    let name =
        options.name.as_ref().map_or_else(|| syn::ext::IdentExt::unraw(&bench.ident).to_string(), syn::LitStr::value);
    let group = options.group.iter();
    let description = bench.description.iter();
    let axes = has_axes.then(|| quote!(.axes(__lem_bench_axes)));
    let filter = options.filter.as_ref().map(|_| quote!(.filter(__lem_bench_filter)));
    let cycles = options.cycles.iter();
    let windows = options.windows.iter();
    let gap = options.gap_nanos.iter();
    let tags = &options.tags;
    let tags = (!tags.is_empty()).then(|| quote!(.tags(&[#(#tags),*])));
    let ignore = match &options.ignore {
        Ignore::No => None,
        Ignore::Yes => Some(quote!(.ignore())),
        Ignore::Because(reason) => Some(quote!(.ignore_because(#reason))),
    };
    let processes = options.processes.iter();
    let isolate = options.isolate.then(|| quote!(.isolate()));
    let may_repeat_iter = bench.may_repeat_iter.then(|| quote!(.may_repeat_iter()));
    quote! {
        __lem_bench::Entry::new(#name, __lem_bench::module_path!(), __lem_bench_run)
            .in_executable(
                // Cargo sets the first for benches and tests, the second for binaries and examples.
                __lem_bench::option_env!("CARGO_TARGET_TMPDIR").is_some()
                    || __lem_bench::option_env!("CARGO_BIN_NAME").is_some()
            )
            #(.group(#group))* #(.description(#description))* #axes #filter #(.cycles(#cycles))* #(.windows(#windows))*
            #(.gap_nanos(#gap))* #tags #ignore #isolate #(.processes(#processes))* #may_repeat_iter
    }
}
