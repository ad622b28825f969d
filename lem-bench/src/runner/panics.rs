//! Catches the text and the place of a panic in a bench body.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static TEXT: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `body`; a panic becomes the `Err` with its message and place. The hook that was there before still sees it.
pub(super) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            TEXT.with_borrow_mut(|text| *text = Some(describe(panic)));
            before(panic);
        }));
    });
    TEXT.with_borrow_mut(|text| *text = None);
    catch_unwind(AssertUnwindSafe(body))
        .map_err(|_| TEXT.with_borrow_mut(Option::take).unwrap_or_else(|| "panicked without a message".to_owned()))
}

fn describe(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("panicked with a value that is no text");
    match panic.location() {
        Some(place) => format!("{message} (at {place})"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_keeps_its_text_and_place() {
        let text = catch(|| -> () { panic!("no {}", "water") }).unwrap_err();
        assert!(text.starts_with("no water (at ") && text.contains("panics.rs"), "{text}");
        assert_eq!(catch(|| 3), Ok(3));
    }
}
