//! The two lines on the terminal, rewritten once a second by a thread of their own, so that time goes on while a window
//! is open. What it takes: one clock read, one look at the last power reading and one write of about 200 bytes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::console;
use super::lines::{Looks, ProgressState, how_far, what};

/// Between two drawings.
const INTERVAL: Duration = Duration::from_secs(1);

/// The lines, while they are on the screen.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    standing: Arc<Mutex<ProgressState>>,
}

impl Bar {
    /// Puts the lines on the screen.
    pub(super) fn show(standing: ProgressState, looks: Looks) -> Self {
        let standing = Arc::new(Mutex::new(standing));
        let read =
            |standing: &Arc<Mutex<ProgressState>>| standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A line as long as the terminal is wide would wrap on some.
        let columns = || console::stderr_width().saturating_sub(1);
        let (first, second) = (Arc::clone(&standing), Arc::clone(&standing));
        // The template is fixed and has been read in the tests.
        let style = ProgressStyle::with_template("{what}\n{how_far}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style
            .with_key("what", move |_: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = w.write_str(&what(&read(&first), columns(), looks));
            })
            .with_key("how_far", move |_: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = w.write_str(&how_far(&read(&second), Instant::now(), columns(), looks));
            });
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(1)).with_style(style);
        console::set_progress_bar(Some(bar.clone()));
        bar.enable_steady_tick(INTERVAL);
        Self { bar, standing }
    }

    /// Says where it stands now; the next drawing shows it.
    pub(super) fn tell(&self, standing: ProgressState) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

impl Drop for Bar {
    /// Takes the lines off the screen.
    fn drop(&mut self) {
        console::set_progress_bar(None);
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template("{what}\n{how_far}").is_ok());
    }
}
