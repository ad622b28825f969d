//! Counts the calls of `iter…` in the body of a bench, as far as the tokens show them.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Whether the body may call `iter…` of `bencher` more than once: it has several such calls, one in a loop, or passes the
/// bencher on to other functions more than once.
pub(crate) fn may_repeat(body: &TokenStream, bencher: &Ident) -> bool {
    count(body.clone(), bencher) > 1
}

fn count(tokens: TokenStream, bencher: &Ident) -> usize {
    let mut calls = 0;
    let mut is_loop = false;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let inside = count(group.stream(), bencher);
                let is_block = group.delimiter() == Delimiter::Brace;
                calls += if is_block && is_loop { 2 * inside } else { inside };
                is_loop &= !is_block;
            }
            TokenTree::Ident(ident) if ident == "for" || ident == "while" || ident == "loop" => is_loop = true,
            TokenTree::Ident(ident) if ident == *bencher => {
                let is_receiver = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '.');
                if !is_receiver {
                    calls += 1;
                }
                // The methods of the chain, and the calls in their arguments.
                while let Some(TokenTree::Punct(punct)) = tokens.peek()
                    && punct.as_char() == '.'
                {
                    tokens.next();
                    if let Some(TokenTree::Ident(method)) = tokens.next() {
                        let method = method.to_string();
                        calls += usize::from(method.starts_with("iter") || method.starts_with("try_iter"));
                    }
                    while let Some(token) = tokens.next_if(
                        |token| !matches!(token, TokenTree::Punct(p) if matches!(p.as_char(), '.' | ';' | ',')),
                    ) {
                        if let TokenTree::Group(group) = token {
                            calls += count(group.stream(), bencher);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(body: &str) -> bool {
        may_repeat(&body.parse().unwrap(), &Ident::new("b", proc_macro2::Span::call_site()))
    }

    #[test]
    fn sees_second_call_loop_and_helpers() {
        assert!(repeats("{ b.iter(|| 1); b.try_iter(|| 2); }"));
        assert!(repeats("{ for n in 0..3 { b.iter(|| n); } }"));
        assert!(repeats("{ helper(b); b.synchronize(|| ()).iter::<u8>(|| 2) }"));
    }

    #[test]
    fn ignores_other_iterators_and_settings() {
        assert!(!repeats(
            "{ let v = b.shared(1, || Ok(2))?; b.synchronize(|| v.wait()).iter(|| v.iter().sum::<u8>()); }"
        ));
        assert!(!repeats("{ for n in 0..3 { v.push(n) } b.iter(|| v.iter().max()) }"));
        assert!(!repeats("{ helper(b) }"));
    }
}
