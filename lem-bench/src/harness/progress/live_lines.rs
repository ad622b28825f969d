//! The two live lines of a running measurement on a terminal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::harness::console;
use crate::harness::parse::format_duration;
use crate::report::number_format;
use crate::report::terminal_text::{clean, shorten, width};
use crate::runner::Stage;
use crate::sampler::LivePowerReading;

/// The id is shortened to this width before other parts are omitted.
const MIN_ID_WIDTH: usize = 16;

/// Minimum useful width of the bar, in columns.
const MIN_BAR_WIDTH: usize = 8;

/// Maximum width of the bar, in columns.
const MAX_BAR_WIDTH: usize = 40;

/// Time between redraws.
const REDRAW_INTERVAL: Duration = Duration::from_secs(1);

/// The state of a run.
#[derive(Debug, Clone)]
pub(super) struct ProgressState {
    /// Number of the bench, starting at 1, and number of benches; `(0, n)` before the first.
    pub bench: (usize, usize),
    /// Id of the bench; empty before the first.
    pub id: String,
    /// Stage of the protocol.
    pub stage: Stage,
    /// Index of the current cycle, starting at 0, and number of cycles.
    pub cycle: (u32, u32),
    /// Planned remaining time of the bench at `updated`.
    pub left: Duration,
    /// Planned time of the run after this bench.
    pub after: Duration,
    /// Time since the start of the run at `updated`.
    pub elapsed: Duration,
    /// Time of this state.
    pub updated: Instant,
    /// The headline so far: `0.463 J/token`. `None` before the first complete cycle.
    pub result: Option<String>,
    /// Current power, if available.
    pub power: Option<LivePowerReading>,
}

/// Style of the live lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineStyle {
    pub color: bool,
}

impl LineStyle {
    fn in_color(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Formats `[2/6] decode/batch=4 · cycle 3/10 · window · 0.41 J/token · 335 W` in at most `columns`. Omits the stage
/// first, then the power and the result; then shortens the id.
fn activity_line(state: &ProgressState, columns: usize, style: LineStyle) -> String {
    let number = match state.bench {
        (0, _) => String::new(),
        (n, of) => format!("[{n}/{of}] "),
    };
    let (cycle, cycles) = state.cycle;
    let (stage, in_cycles) = match state.stage {
        Stage::SetUp => ("setup", false),
        Stage::BareIdle => ("idle power before setup", false),
        Stage::LoadedIdle => ("idle power after setup", false),
        Stage::WarmUp => ("warm-up", false),
        Stage::Gap => ("gap", true),
        Stage::RampIn => ("ramp-in", true),
        Stage::Window => ("window", true),
    };
    let mut parts = Vec::new();
    if in_cycles {
        parts.push(format!("cycle {}/{cycles}", (cycle + 1).min(cycles)));
    }
    let power = state.power.as_ref().and_then(LivePowerReading::watts);
    let power = power.map(|watts| number_format::bare(Some(watts.get()), "W"));
    parts.push(stage.to_owned());
    parts.extend(state.result.clone());
    parts.extend(power);
    let id = clean(&state.id);
    let joined = |parts: &[String]| parts.iter().flat_map(|part| [" · ", part]).collect::<String>();
    let needs = |parts: &[String]| width(&number) + width(&id).min(MIN_ID_WIDTH) + width(&joined(parts));
    if in_cycles && needs(&parts) > columns {
        parts.remove(1);
    }
    while parts.len() > 1 && needs(&parts) > columns {
        parts.pop();
    }
    let rest = joined(&parts);
    let rest = if id.is_empty() { rest.trim_start_matches(" · ") } else { &rest };
    let room = columns.saturating_sub(width(&number) + width(rest));
    let rest = shorten(rest, columns.saturating_sub(width(&number)), 10);
    format!("{number}{}{rest}", style.in_color("1", &shorten(&id, room, 5)))
}

/// Formats `━━━━━━━━━━──────── 42 % · 12 s left of this bench, 3 min 5 s of the run` in at most `columns`.
fn remaining_line(state: &ProgressState, now: Instant, columns: usize, style: LineStyle) -> String {
    let left = state.left.saturating_sub(now.saturating_duration_since(state.updated));
    let run = left + state.after;
    let elapsed = state.elapsed + now.saturating_duration_since(state.updated);
    let share = elapsed.as_secs_f64() / (elapsed + run).as_secs_f64().max(1e-9);
    let percent = format!(" {:.0} %", share * 100.0);
    let text = match (left.is_zero(), state.after.is_zero()) {
        (true, true) => " · longer than planned".to_owned(),
        (true, false) => format!(" · longer than planned, then {} of the run", in_seconds(state.after)),
        (false, true) => format!(" · {} left", in_seconds(left)),
        (false, false) => format!(" · {} left of this bench, {} of the run", in_seconds(left), in_seconds(run)),
    };
    let short = format!(" · {} left", in_seconds(run));
    let fits = |text: &str| width(&percent) + width(text) + MIN_BAR_WIDTH <= columns;
    let text = if fits(&text) { text } else { short };
    let bar = columns.saturating_sub(width(&percent) + width(&text)).min(MAX_BAR_WIDTH);
    let done = (share * bar as f64).round() as usize;
    let line = if bar < MIN_BAR_WIDTH { String::new() } else { "━".repeat(done.min(bar)) };
    let open = if bar < MIN_BAR_WIDTH { String::new() } else { "─".repeat(bar - done.min(bar)) };
    format!(
        "{}{}{}",
        style.in_color("32", &line),
        style.in_color("2", &open),
        shorten(&format!("{percent}{text}"), columns, 10)
    )
}

/// Formats a time, rounded up to whole seconds.
fn in_seconds(time: Duration) -> String {
    format_duration(Duration::from_secs(time.as_secs_f64().ceil() as u64))
}

/// The visible lines. Dropping removes them.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    state: Arc<Mutex<ProgressState>>,
}

impl Bar {
    /// Shows the lines.
    pub fn show(state: ProgressState, style: LineStyle) -> Self {
        let state = Arc::new(Mutex::new(state));
        let read = |state: &Arc<Mutex<ProgressState>>| state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Some terminals wrap a line of exactly their width.
        let columns = || console::stderr_width().saturating_sub(1);
        let (first, second) = (Arc::clone(&state), Arc::clone(&state));
        // The template is constant, and a test parses it.
        let template =
            ProgressStyle::with_template("{activity}\n{remaining}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let template = template
            .with_key("activity", move |_: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = w.write_str(&activity_line(&read(&first), columns(), style));
            })
            .with_key("remaining", move |_: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = w.write_str(&remaining_line(&read(&second), Instant::now(), columns(), style));
            });
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(1)).with_style(template);
        console::set_progress_bar(Some(bar.clone()));
        bar.enable_steady_tick(REDRAW_INTERVAL);
        Self { bar, state }
    }

    /// Updates the state; the next redraw shows it.
    pub fn update(&self, state: ProgressState) {
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

    fn state() -> ProgressState {
        ProgressState {
            bench: (2, 6),
            id: "decode/batch=4/dtype=bf16".to_owned(),
            stage: Stage::Window,
            cycle: (2, 10),
            left: Duration::from_secs(31),
            after: Duration::from_secs(154),
            elapsed: Duration::from_secs(215),
            result: Some("0.412 J/token".to_owned()),
            updated: Instant::now(),
            power: None,
        }
    }

    const PLAIN: LineStyle = LineStyle { color: false };

    #[test]
    fn formats_state() {
        let state = state();
        let now = state.updated + Duration::from_secs(1);
        assert_eq!(
            activity_line(&state, 80, PLAIN),
            "[2/6] decode/batch=4/dtype=bf16 · cycle 3/10 · window · 0.412 J/token"
        );
        assert_eq!(activity_line(&state, 53, PLAIN), "[2/6] decode/b…type=bf16 · cycle 3/10 · 0.412 J/token");
        assert_eq!(activity_line(&state, 40, PLAIN), "[2/6] decode/bat…dtype=bf16 · cycle 3/10");
        let line = remaining_line(&state, now, 100, PLAIN);
        assert_eq!(
            line,
            format!("{}{} 54 % · 30 s left of this bench, 3 min 4 s of the run", "━".repeat(22), "─".repeat(18))
        );
        assert!(remaining_line(&state, now, 62, PLAIN).ends_with("30 s left of this bench, 3 min 4 s of the run"));
        assert!(remaining_line(&state, now, 40, PLAIN).ends_with(" 54 % · 3 min 4 s left"));
        let late = state.updated + Duration::from_secs(99);
        assert!(remaining_line(&state, late, 100, PLAIN).ends_with("longer than planned, then 2 min 34 s of the run"));
    }

    #[test]
    fn fits_any_width() {
        let mut state = state();
        let strip = |line: &str| {
            ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m"].iter().fold(line.to_owned(), |l, c| l.replace(c, ""))
        };
        let ids =
            ["decode", "", "\u{1b}[31m\u{202E}gnp\n", &"x".repeat(300), "解码/批量=四/精度=半/解码/批量=四/精度=半"];
        for id in ids {
            id.clone_into(&mut state.id);
            for stage in [Stage::BareIdle, Stage::WarmUp, Stage::Gap, Stage::Window] {
                state.stage = stage;
                for columns in 20..=220 {
                    let lines = |style| {
                        [activity_line(&state, columns, style), remaining_line(&state, state.updated, columns, style)]
                    };
                    let (plain, colored) = (lines(PLAIN), lines(LineStyle { color: true }));
                    for (plain, colored) in plain.iter().zip(&colored) {
                        assert!(width(plain) <= columns, "{columns}: {plain}");
                        assert!(!plain.contains(['\u{1b}', '\n']), "{plain:?}");
                        assert_eq!(&strip(colored), plain);
                    }
                }
            }
        }
    }

    #[test]
    fn template_is_valid() {
        assert!(ProgressStyle::with_template("{activity}\n{remaining}").is_ok());
    }
}
