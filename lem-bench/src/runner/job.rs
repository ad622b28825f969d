//! One bench case that is ready to run, and the call of its body.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Once};

use crate::bench::{Bencher, Driver, Fixtures, Usage};
use crate::model::BenchRecord;
use crate::protocol::{CycleTotals, Schedule};

/// A body with its parameters bound. An `Err` is the text of the failure.
pub type Body = Arc<dyn Fn(&mut Bencher<'_>) -> Result<(), String> + Send + Sync>;

/// One bench case that is ready to run.
#[derive(Clone)]
pub struct Job {
    /// Its record in the journal.
    pub record: BenchRecord,
    /// How it is measured.
    pub schedule: Schedule,
    /// What is measured.
    pub body: Body,
    /// The first cycle to measure: 0, or the first one that an earlier process did not complete.
    pub from_cycle: u32,
    /// The totals of the cycles before that one.
    pub earlier: Vec<CycleTotals>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("id", &self.record.id).finish_non_exhaustive()
    }
}

thread_local! {
    /// The last panic of this thread: its message and location.
    static PANIC_TEXT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sets the panic hook, once for the process.
static SET_PANIC_HOOK: Once = Once::new();

/// Calls a body. The outer `Err` is a panic, the inner one an error of the body or a wrong number of `iter…` calls.
pub(crate) fn call_body(
    body: &Body,
    driver: &mut dyn Driver,
    fixtures: Fixtures,
) -> Result<Result<(), String>, String> {
    catch_panic(|| {
        let mut usage = Usage::default();
        let result = body(&mut Bencher::new(driver, &mut usage, fixtures));
        if let Some(failure) = usage.failure {
            return Err(failure);
        }
        result.and_then(|()| match usage.calls {
            1 => Ok(()),
            0 => Err("the bench called no `iter…` method: there was nothing to measure".to_owned()),
            n => Err(format!("the bench called `iter…` {n} times: make it two benches, or call it once")),
        })
    })
}

/// Runs `body`; a panic becomes the `Err` with its message and location. The previous panic hook still runs.
fn catch_panic<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    SET_PANIC_HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |panic| {
            PANIC_TEXT.with_borrow_mut(|text| *text = Some(describe(panic)));
            previous(panic);
        }));
    });
    PANIC_TEXT.with_borrow_mut(|text| *text = None);
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        // A panic raised again by `resume_unwind` (for example that of a worker) does not run the hook.
        PANIC_TEXT.with_borrow_mut(Option::take).unwrap_or_else(|| payload_text(&*payload).to_owned())
    })
}

fn describe(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let message = payload_text(panic.payload());
    match panic.location() {
        Some(location) => format!("{message} (at {location})"),
        None => message.to_owned(),
    }
}

fn payload_text(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("panicked with a value that is not text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_keeps_text_and_location() {
        let text = catch_panic(|| -> () { panic!("no {}", "water") }).unwrap_err();
        assert!(text.starts_with("no water (at ") && text.contains("job.rs"), "{text}");
        assert_eq!(catch_panic(|| 3), Ok(3));
        let raised_again = catch_panic(|| -> () { std::panic::resume_unwind(Box::new("from a worker")) });
        assert_eq!(raised_again.unwrap_err(), "from a worker");
    }
}
