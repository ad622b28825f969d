//! The two live lines on the terminal. A thread redraws them once per second, also during windows; the cost is a clock
//! read, an access to the last power reading, and a write of about 200 bytes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::console;
use super::lines::{Looks, ProgressState, activity_line, remaining_line};

/// Time between redraws.
const INTERVAL: Duration = Duration::from_secs(1);

/// The visible lines. Dropping removes them.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    state: Arc<Mutex<ProgressState>>,
}

impl Bar {
    /// Shows the lines.
    pub(super) fn show(state: ProgressState, looks: Looks) -> Self {
        let state = Arc::new(Mutex::new(state));
        let read = |state: &Arc<Mutex<ProgressState>>| state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Some terminals wrap a line of exactly their width.
        let columns = || console::stderr_width().saturating_sub(1);
        let (first, second) = (Arc::clone(&state), Arc::clone(&state));
        // The template is constant, and a test parses it.
        let style =
            ProgressStyle::with_template("{activity}\n{remaining}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style
            .with_key("activity", move |_: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = w.write_str(&activity_line(&read(&first), columns(), looks));
            })
            .with_key("remaining", move |_: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = w.write_str(&remaining_line(&read(&second), Instant::now(), columns(), looks));
            });
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(1)).with_style(style);
        console::set_progress_bar(Some(bar.clone()));
        bar.enable_steady_tick(INTERVAL);
        Self { bar, state }
    }

    /// Updates the state; the next redraw shows it.
    pub(super) fn update(&self, state: ProgressState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        console::set_progress_bar(None);
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_is_valid() {
        assert!(ProgressStyle::with_template("{activity}\n{remaining}").is_ok());
    }
}
