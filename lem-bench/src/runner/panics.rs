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
        // A panic that was raised again (a worker thread's, by `resume_unwind`) passed no hook of this thread.
        .map_err(|payload| TEXT.with_borrow_mut(Option::take).unwrap_or_else(|| text_of(&*payload).to_owned()))
}

fn describe(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let message = text_of(panic.payload());
    match panic.location() {
        Some(place) => format!("{message} (at {place})"),
        None => message.to_owned(),
    }
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("panicked with a value that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_keeps_its_text_and_place() {
        let text = catch(|| -> () { panic!("no {}", "water") }).unwrap_err();
        assert!(text.starts_with("no water (at ") && text.contains("panics.rs"), "{text}");
        assert_eq!(catch(|| 3), Ok(3));
        let raised_again = catch(|| -> () { std::panic::resume_unwind(Box::new("from a worker")) });
        assert_eq!(raised_again.unwrap_err(), "from a worker");
    }
}
