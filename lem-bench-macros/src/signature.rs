//! Parser of the signature of the bench function.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, FnArg, Ident, Lit, Meta, Pat, ReturnType, Safety, Signature, Token, Type, Visibility};

use crate::calls;
use crate::errors::Errors;

/// The message for a first parameter that is not the bencher.
const BENCHER_EXPECTED: &str = "the first parameter of a bench is `b: &mut Bencher` or `b: Bencher`";

/// The parsed function.
pub(crate) struct Bench {
    pub(crate) ident: Ident,
    /// First line of the documentation.
    pub(crate) description: Option<String>,
    /// Span for errors about the bencher.
    pub(crate) bencher: Span,
    /// Whether the bencher is taken by value.
    pub(crate) by_value: bool,
    /// The name of the bencher, if it is a plain one that is not mutable.
    pub(crate) variable: Option<Ident>,
    /// Whether the body may call `iter…` more than once.
    pub(crate) may_repeat_iter: bool,
    pub(crate) params: Vec<Param>,
    /// Span for errors about the return value.
    pub(crate) output: Span,
    /// The `cfg` attributes below this one, which the compiler has not evaluated yet.
    pub(crate) conditions: Vec<Attribute>,
}

/// A parameter after the bencher.
pub(crate) struct Param {
    pub(crate) ident: Ident,
    /// Name of the axis: the identifier without `r#`.
    pub(crate) name: String,
    /// Type; for a reference, the referenced type.
    pub(crate) ty: Type,
    pub(crate) by_ref: bool,
}

/// What is parsed of the function. The compiler reports errors in the body.
struct Head {
    attributes: Vec<Attribute>,
    signature: Signature,
    body: TokenStream,
}

impl Parse for Head {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let looks_like_function = input.peek(Token![fn]) || input.peek2(Token![fn]) || input.peek3(Token![fn]);
        if !looks_like_function && input.fork().parse::<Signature>().is_err() {
            return Err(input.error("`#[energy_bench]` goes on a function: `fn decode(b: &mut Bencher)`"));
        }
        Ok(Self { attributes, signature: input.parse()?, body: input.parse()? })
    }
}

/// Parses the signature, and reports everything that is not supported.
pub(crate) fn parse(item: TokenStream) -> syn::Result<Bench> {
    let Head { attributes, signature, body } = syn::parse2(item)?;
    let mut errors = Errors::default();
    check_plain_function(&signature, &mut errors);
    if let Some(again) = attributes.iter().find(|a| a.path().segments.last().is_some_and(|s| s.ident == "energy_bench"))
    {
        errors.at(
            again,
            "a function can be one bench only: remove one `#[energy_bench]`, or call the function from another bench",
        );
    }
    let mut inputs = signature.inputs.iter();
    let (bencher, by_value) = bencher(inputs.next(), &signature, &mut errors);
    if matches!(signature.inputs.first(), Some(FnArg::Receiver(_))) {
        // The bencher is then the second parameter.
        inputs.next();
    }
    let params = inputs.filter_map(|input| param(input, &mut errors)).collect();
    errors.finish()?;
    let output = match &signature.output {
        ReturnType::Default => signature.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let may_repeat_iter = match signature.inputs.first() {
        Some(FnArg::Typed(typed)) => matches!(&*typed.pat, Pat::Ident(b) if calls::may_repeat(&body, &b.ident)),
        _ => false,
    };
    let variable = match signature.inputs.first() {
        Some(FnArg::Typed(typed)) => match &*typed.pat {
            Pat::Ident(b) if b.mutability.is_none() && b.by_ref.is_none() => Some(b.ident.clone()),
            _ => None,
        },
        _ => None,
    };
    let description = description(&attributes);
    let conditions = attributes.into_iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let ident = signature.ident;
    Ok(Bench { ident, description, bencher, by_value, variable, may_repeat_iter, params, output, conditions })
}

fn check_plain_function(signature: &Signature, errors: &mut Errors) {
    if let Some(constness) = &signature.constness {
        errors.at(constness, "a bench cannot be `const`");
    }
    if let Some(asyncness) = &signature.asyncness {
        errors
            .at(asyncness, "a bench cannot be `async`: make it a plain function, and run the future with `b.to_async(runtime).iter(…)`");
    }
    if let Safety::Unsafe(_) | Safety::Safe(_) = &signature.safety {
        errors.at(&signature.safety, "a bench cannot be `unsafe`: use an `unsafe` block in its body");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a bench cannot be `extern`: call the foreign function from a Rust function");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, "a bench cannot be variadic");
    }
    let generics = &signature.generics;
    if !generics.params.is_empty() {
        errors.at(generics, "a bench cannot be generic: write a function per type that calls the generic one");
    } else if let Some(clause) = &generics.where_clause {
        errors.at(clause, "a bench is not generic: remove the `where` clause");
    }
}

/// Returns the span of the bencher, and whether it is taken by value.
fn bencher(first: Option<&FnArg>, signature: &Signature, errors: &mut Errors) -> (Span, bool) {
    match first {
        None => {
            let span = signature.paren_token.span.join();
            errors.push(syn::Error::new(span, BENCHER_EXPECTED));
            (span, false)
        }
        Some(FnArg::Receiver(receiver)) => {
            errors.at(receiver, "a bench cannot be a method: make it a free function");
            (receiver.span(), false)
        }
        Some(FnArg::Typed(typed)) => {
            let (by_ref, by_value) = match ungrouped(&typed.ty) {
                Type::Reference(reference) => (reference.mutability.is_some(), false),
                ty => (false, is_bencher(ty)),
            };
            if !by_ref && !by_value {
                errors.at(typed, BENCHER_EXPECTED);
            }
            (typed.ty.span(), by_value)
        }
    }
}

fn param(input: &FnArg, errors: &mut Errors) -> Option<Param> {
    let FnArg::Typed(typed) = input else { return None };
    for attribute in typed.attrs.iter().filter(|a| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr")) {
        errors.at(attribute, "a parameter of a bench cannot have a `cfg`: write two functions");
    }
    let Pat::Ident(pattern) = &*typed.pat else {
        errors.at(
            &typed.pat,
            "a parameter of a bench needs a name, which is that of its axis: destructure it in the body",
        );
        return None;
    };
    let (ty, by_ref) = match ungrouped(&typed.ty) {
        Type::ImplTrait(ty) => {
            errors.at(ty, "a bench cannot be generic: write the type of the axis");
            return None;
        }
        Type::Reference(reference) if is_dyn(&reference.elem) => {
            errors.at(&reference.elem, "the values of an axis have one type: write it, or use an enum");
            return None;
        }
        Type::Reference(reference) if reference.mutability.is_some() => {
            let text = if is_bencher(&reference.elem) {
                BENCHER_EXPECTED
            } else {
                "the value of an axis is shared by all cycles: take it by value or by shared reference"
            };
            errors.at(reference, text);
            return None;
        }
        // `&'static T` is a by-value parameter; an elided lifetime is that of the case.
        Type::Reference(reference) if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident == "_") => {
            ((*reference.elem).clone(), true)
        }
        ty => (ty.clone(), false),
    };
    Some(Param { name: pattern.ident.unraw().to_string(), ident: pattern.ident.clone(), ty, by_ref })
}

/// Returns the type without the invisible groups of a `macro_rules!` fragment.
fn ungrouped(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

fn is_bencher(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Path(ty) if ty.path.segments.last().is_some_and(|last| last.ident == "Bencher"))
}

fn is_dyn(ty: &Type) -> bool {
    match ungrouped(ty) {
        Type::Paren(inner) => is_dyn(&inner.elem),
        ty => matches!(ty, Type::TraitObject(_)),
    }
}

fn description(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => text.value().lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
