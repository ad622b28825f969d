//! Parser of the attribute's options.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, LitStr, Path, Token, parenthesized};

use crate::duration::parse_duration;
use crate::errors::Errors;

/// All options, in the order of messages.
const KNOWN: [&str; 13] = [
    "name",
    "group",
    "args",
    "grid",
    "filter",
    "cycles",
    "windows",
    "gap",
    "tags",
    "ignore",
    "isolate",
    "processes",
    "crate",
];

/// Parsed options.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) group: Option<LitStr>,
    pub(crate) args: Option<(Ident, Expr)>,
    pub(crate) grid: Option<(Ident, Vec<(Ident, Expr)>)>,
    pub(crate) filter: Option<Path>,
    pub(crate) cycles: Option<u32>,
    pub(crate) windows: Option<u32>,
    pub(crate) gap_nanos: Option<u64>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) ignore: Ignore,
    pub(crate) isolate: bool,
    pub(crate) processes: Option<u32>,
    pub(crate) krate: Option<Path>,
}

/// Whether the bench runs only with `--ignored` or `--include-ignored`.
#[derive(Default)]
pub(crate) enum Ignore {
    #[default]
    No,
    Yes,
    Because(LitStr),
}

/// Parses the options, and reports all errors at once.
pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Options> {
    let read = |input: ParseStream| {
        let mut options = Options::default();
        let mut seen: Vec<String> = Vec::new();
        let mut errors = Errors::default();
        while !input.is_empty() {
            if let Err(error) = parse_option(input, &mut options, &mut seen) {
                errors.push(error);
                skip_to_comma(input);
            }
            if !input.is_empty() && errors.keep(input.parse::<Token![,]>()).is_none() {
                skip_to_comma(input);
                errors.keep(input.parse::<Option<Token![,]>>());
            }
        }
        if let (Some((_, _)), Some((grid, _))) = (&options.args, &options.grid) {
            errors.at(grid, "`args` and `grid` exclude each other: move the values of `args` into `grid`");
        }
        errors.finish().map(|()| options)
    };
    read.parse2(tokens)
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // Cannot fail, because there are tokens.
        let _ = input.parse::<proc_macro2::TokenTree>();
    }
}

fn parse_option(input: ParseStream, options: &mut Options, seen: &mut Vec<String>) -> syn::Result<()> {
    let key = Ident::parse_any(input)
        .map_err(|error| syn::Error::new(error.span(), format!("expected an option: {}", known_options())))?;
    let name = key.to_string();
    if !KNOWN.contains(&name.as_str()) {
        return Err(unknown_option(&key, &name));
    }
    if seen.contains(&name) {
        return Err(syn::Error::new(key.span(), format!("`{name}` is set twice: remove one")));
    }
    seen.push(name.clone());
    match name.as_str() {
        "name" => options.name = Some(label(&key, input)?),
        "group" => options.group = Some(label(&key, input)?),
        "args" => options.args = Some((key.clone(), values(&key, input)?)),
        "grid" => options.grid = Some((key.clone(), grid(&key, input)?)),
        "filter" => options.filter = Some(path(&key, input, "filter = keeps_case")?),
        "crate" => options.krate = Some(path(&key, input, "crate = my_crate::lem_bench")?),
        "cycles" => options.cycles = Some(count(&key, input, 2)?),
        "windows" => options.windows = Some(count(&key, input, 1)?),
        "gap" => options.gap_nanos = Some(gap(&key, input)?),
        "tags" => options.tags = tags(&key, input)?,
        "processes" => options.processes = Some(count(&key, input, 2)?),
        "isolate" => options.isolate = true,
        _ => options.ignore = if input.peek(Token![=]) { Ignore::Because(text(&key, input)?) } else { Ignore::Yes },
    }
    Ok(())
}

fn known_options() -> String {
    KNOWN.map(|known| format!("`{known}`")).join(", ")
}

fn unknown_option(key: &Ident, name: &str) -> syn::Error {
    let nearest = nearest(name, KNOWN.into_iter()).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    syn::Error::new(key.span(), format!("unknown option `{name}`{nearest}\nthe options are {}", known_options()))
}

/// Returns the candidate that was probably meant: it begins with `name`, or the edit distance is at most a third of its
/// length.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= candidate.len().max(3) / 3 || (name.len() > 2 && candidate.starts_with(name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Parses the expression after `key =`, without the invisible group of a `macro_rules!` fragment.
fn value(key: &Ident, input: ParseStream, example: &str) -> syn::Result<Expr> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), format!("`{key}` takes a value: `{example}`")));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(equals, format!("a value is missing: `{example}`")));
    }
    let mut expr: Expr = input.parse()?;
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    Ok(expr)
}

fn text(key: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    let expr = value(key, input, &format!("{key} = \"…\""))?;
    as_text(&expr).ok_or_else(|| syn::Error::new_spanned(&expr, format!("`{key}` takes a string: `{key} = \"…\"`")))
}

fn as_text(expr: &Expr) -> Option<LitStr> {
    match expr {
        Expr::Group(group) => as_text(&group.expr),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn label(key: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    let text = text(key, input)?;
    if text.value().is_empty() {
        return Err(syn::Error::new_spanned(&text, format!("`{key}` is empty: it is part of the id of the bench")));
    }
    Ok(text)
}

fn path(key: &Ident, input: ParseStream, example: &str) -> syn::Result<Path> {
    // `crate` is not an expression.
    if input.peek(Token![=]) && input.peek2(Token![crate]) {
        input.parse::<Token![=]>()?;
        return Path::parse_mod_style(input);
    }
    match value(key, input, example)? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        other => Err(syn::Error::new_spanned(other, format!("`{key}` takes a path: `{example}`"))),
    }
}

fn count(key: &Ident, input: ParseStream, min: u32) -> syn::Result<u32> {
    let example = if min == 2 { "cycles = 10" } else { "windows = 1" };
    let expr = value(key, input, example)?;
    let Expr::Lit(lit) = &expr else {
        return Err(syn::Error::new_spanned(&expr, format!("`{key}` takes a whole number: `{example}`")));
    };
    let Lit::Int(int) = &lit.lit else {
        return Err(syn::Error::new_spanned(lit, format!("`{key}` takes a whole number: `{example}`")));
    };
    let too_large = |_| syn::Error::new_spanned(int, format!("`{key}` is at most {}", u32::MAX));
    let count: u32 = int.base10_parse().map_err(too_large)?;
    if count >= min {
        return Ok(count);
    }
    let message = if min == 2 {
        "an interval needs at least 2 cycles: set 2 or more, or remove the option for the default"
    } else {
        "a cycle has at least 1 window: set 1 or more, or remove the option for the default"
    };
    Err(syn::Error::new_spanned(lit, message))
}

fn gap(key: &Ident, input: ParseStream) -> syn::Result<u64> {
    let expr = value(key, input, "gap = \"2s\"")?;
    let text = match &expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            Lit::Int(int) => Some(int.base10_digits().to_owned()),
            Lit::Float(float) => Some(float.base10_digits().to_owned()),
            _ => None,
        },
        _ => None,
    };
    let gap = text.and_then(|text| parse_duration(&text).ok());
    gap.and_then(|gap| u64::try_from(gap.as_nanos()).ok()).ok_or_else(|| {
        syn::Error::new_spanned(
            expr,
            "`gap` takes a duration: `\"500ms\"`, `\"2s\"`, `\"1m\"`, or a number of seconds such as `0.5`",
        )
    })
}

fn tags(key: &Ident, input: ParseStream) -> syn::Result<Vec<LitStr>> {
    let example = "tags = [\"nightly\"]";
    let expr = value(key, input, example)?;
    let Expr::Array(array) = &expr else {
        return Err(syn::Error::new_spanned(expr, format!("`tags` takes a list of strings: `{example}`")));
    };
    let mut errors = Errors::default();
    let mut tags = Vec::new();
    for tag in &array.elems {
        match as_text(tag) {
            Some(text) => tags.push(text),
            None => errors.at(tag, format!("a tag is a string: `{example}`")),
        }
    }
    errors.finish().map(|()| tags)
}

fn values(key: &Ident, input: ParseStream) -> syn::Result<Expr> {
    let expr = value(key, input, &format!("{key} = [1, 4]"))?;
    match &expr {
        Expr::Array(array) if array.elems.is_empty() => Err(syn::Error::new_spanned(
            array,
            format!("`{key}` has no values, so the bench would never run: add a value"),
        )),
        _ => Ok(expr),
    }
}

fn grid(key: &Ident, input: ParseStream) -> syn::Result<Vec<(Ident, Expr)>> {
    let example = "grid(batch = [1, 4])";
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(key.span(), format!("`grid` takes axes in parentheses: `{example}`")));
    }
    let content;
    let paren = parenthesized!(content in input);
    let axis = |input: ParseStream| {
        let name = Ident::parse_any(input)?;
        let values = values(&name, input)?;
        Ok((name, values))
    };
    let axes = Punctuated::<_, Token![,]>::parse_terminated_with(&content, axis);
    let axes: Vec<(Ident, Expr)> = match axes {
        Ok(axes) => axes.into_iter().collect(),
        Err(error) => {
            // An error about the unread tokens in the parentheses would hide this one.
            skip_all(&content);
            return Err(error);
        }
    };
    if axes.is_empty() {
        return Err(syn::Error::new(span_of(&paren), format!("`grid` has no axes: `{example}`")));
    }
    let mut errors = Errors::default();
    for (index, (name, _)) in axes.iter().enumerate() {
        if axes[..index].iter().any(|(earlier, _)| earlier == name) {
            errors.at(name, format!("axis `{name}` is set twice: remove one"));
        }
    }
    errors.finish().map(|()| axes)
}

fn skip_all(input: ParseStream) {
    while !input.is_empty() {
        let _ = input.parse::<proc_macro2::TokenTree>();
    }
}

fn span_of(paren: &syn::token::Paren) -> Span {
    paren.span.join()
}
