//! Where a run stands, in two lines of any width.
//!
//! Must not know terminals.

use std::time::{Duration, Instant};

use super::super::duration_text::format_duration;
use crate::model::Origin;
use crate::report::number_format;
use crate::report::terminal_text::{clean, shorten, width};
use crate::runner::Stage;
use crate::sampler::LivePowerReading;

/// Where a run stands.
#[derive(Debug, Clone)]
pub(super) struct ProgressState {
    /// The number of the bench, from 1, and how many there are; `(0, n)` before the first.
    pub(super) bench: (usize, usize),
    /// The bench; empty before the first.
    pub(super) id: String,
    /// What is done.
    pub(super) stage: Stage,
    /// The cycle under way, from 0, and how many there are.
    pub(super) cycle: (u32, u32),
    /// What is left of the bench, as it was planned when this was told.
    pub(super) left: Duration,
    /// What is left of the run after this bench.
    pub(super) after: Duration,
    /// How long the whole run was to take.
    pub(super) total: Duration,
    /// When all this was told.
    pub(super) told: Instant,
    /// The power now, where it can be read.
    pub(super) power: Option<LivePowerReading>,
    /// Whether that is measured.
    pub(super) origin: Origin,
}

/// How the parts of the lines look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looks {
    pub(super) color: bool,
}

impl Looks {
    fn in_color(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// `[2/6] decode/batch=4 · cycle 3/10 · window · 335 W`, in at most `columns`. What tells least goes first: the stage,
/// then the power; then the id is cut.
pub(super) fn what(standing: &ProgressState, columns: usize, looks: Looks) -> String {
    let number = match standing.bench {
        (0, _) => String::new(),
        (n, of) => format!("[{n}/{of}] "),
    };
    let (cycle, cycles) = standing.cycle;
    let (stage, in_cycles) = match standing.stage {
        Stage::SetUp => ("set-up", false),
        Stage::BareIdle => ("idle power, before any set-up", false),
        Stage::LoadedIdle => ("idle power, all set up", false),
        Stage::WarmUp => ("warm-up", false),
        Stage::Gap => ("rest", true),
        Stage::RampIn => ("ramp-in", true),
        Stage::Window => ("window", true),
    };
    let mut parts = Vec::new();
    if in_cycles {
        parts.push(format!("cycle {}/{cycles}", (cycle + 1).min(cycles)));
    }
    let power = standing.power.as_ref().and_then(LivePowerReading::watts).map(|watts| {
        let label = standing.origin.label().map(|label| format!(" {label}")).unwrap_or_default();
        format!("{}{label}", number_format::bare(Some(watts.get()), "W"))
    });
    parts.push(stage.to_owned());
    parts.extend(power);
    let id = clean(&standing.id);
    let joined = |parts: &[String]| parts.iter().flat_map(|part| [" · ", part]).collect::<String>();
    let needs = |parts: &[String]| width(&number) + width(&id).min(LEAST_ID) + width(&joined(parts));
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
    format!("{number}{}{rest}", looks.in_color("1", &shorten(&id, room, 5)))
}

/// An id is cut to this before anything else goes.
const LEAST_ID: usize = 16;
/// Columns of a bar that still tells something.
const LEAST_BAR: usize = 8;
const MOST_BAR: usize = 40;

/// `━━━━━━━━━━──────── 42 % · 12 s left of this bench, 3 min 5 s of the run`, in at most `columns`.
pub(super) fn how_far(standing: &ProgressState, now: Instant, columns: usize, looks: Looks) -> String {
    let left = standing.left.saturating_sub(now.saturating_duration_since(standing.told));
    let run = left + standing.after;
    let share = 1.0 - (run.as_secs_f64() / standing.total.as_secs_f64().max(1e-9)).clamp(0.0, 1.0);
    let percent = format!(" {:.0} %", share * 100.0);
    let text = match (left.is_zero(), standing.after.is_zero()) {
        (true, true) => " · longer than planned".to_owned(),
        (true, false) => format!(" · longer than planned, then {} of the run", format_duration(whole(standing.after))),
        (false, true) => format!(" · {} left", format_duration(whole(left))),
        (false, false) => format!(
            " · {} left of this bench, {} of the run",
            format_duration(whole(left)),
            format_duration(whole(run))
        ),
    };
    let short = format!(" · {} left", format_duration(whole(run)));
    let fits = |text: &str| width(&percent) + width(text) + LEAST_BAR <= columns;
    let text = if fits(&text) { text } else { short };
    let bar = columns.saturating_sub(width(&percent) + width(&text)).min(MOST_BAR);
    let done = (share * bar as f64).round() as usize;
    let line = if bar < LEAST_BAR { String::new() } else { "━".repeat(done.min(bar)) };
    let open = if bar < LEAST_BAR { String::new() } else { "─".repeat(bar - done.min(bar)) };
    format!(
        "{}{}{}",
        looks.in_color("32", &line),
        looks.in_color("2", &open),
        shorten(&format!("{percent}{text}"), columns, 10)
    )
}

/// Nobody counts tenths of a second of waiting.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs_f64().ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> ProgressState {
        ProgressState {
            bench: (2, 6),
            id: "decode/batch=4/dtype=bf16".to_owned(),
            stage: Stage::Window,
            cycle: (2, 10),
            left: Duration::from_secs(31),
            after: Duration::from_secs(154),
            total: Duration::from_secs(400),
            told: Instant::now(),
            power: None,
            origin: Origin::Measured,
        }
    }

    const PLAIN: Looks = Looks { color: false };

    #[test]
    fn two_lines_say_where_it_stands() {
        let standing = standing();
        let now = standing.told + Duration::from_secs(1);
        assert_eq!(what(&standing, 80, PLAIN), "[2/6] decode/batch=4/dtype=bf16 · cycle 3/10 · window");
        assert_eq!(what(&standing, 40, PLAIN), "[2/6] decode/bat…dtype=bf16 · cycle 3/10");
        let line = how_far(&standing, now, 100, PLAIN);
        assert_eq!(
            line,
            format!("{}{} 54 % · 30 s left of this bench, 3 min 4 s of the run", "━".repeat(22), "─".repeat(18))
        );
        assert!(how_far(&standing, now, 62, PLAIN).ends_with("30 s left of this bench, 3 min 4 s of the run"));
        assert!(how_far(&standing, now, 40, PLAIN).ends_with(" 54 % · 3 min 4 s left"));
        let late = standing.told + Duration::from_secs(99);
        assert!(how_far(&standing, late, 100, PLAIN).ends_with("longer than planned, then 2 min 34 s of the run"));
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_and_colour_takes_no_room() {
        let mut standing = standing();
        let strip = |line: &str| {
            ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m"].iter().fold(line.to_owned(), |l, c| l.replace(c, ""))
        };
        let ids =
            ["decode", "", "\u{1b}[31m\u{202E}gnp\n", &"x".repeat(300), "解码/批量=四/精度=半/解码/批量=四/精度=半"];
        for id in ids {
            id.clone_into(&mut standing.id);
            for stage in [Stage::BareIdle, Stage::WarmUp, Stage::Gap, Stage::Window] {
                standing.stage = stage;
                for columns in 20..=220 {
                    let lines =
                        |looks| [what(&standing, columns, looks), how_far(&standing, standing.told, columns, looks)];
                    let (plain, colored) = (lines(PLAIN), lines(Looks { color: true }));
                    for (plain, colored) in plain.iter().zip(&colored) {
                        assert!(width(plain) <= columns, "{columns}: {plain}");
                        assert!(!plain.contains(['\u{1b}', '\n']), "{plain:?}");
                        assert_eq!(&strip(colored), plain);
                    }
                }
            }
        }
    }
}
