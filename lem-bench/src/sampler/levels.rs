//! Where a window's power went from one level to another and stayed there.
//!
//! A sensor that sees a part of each of its periods shows a fast load as a slow beat, and nothing in one window tells a
//! slow beat from a slow load: so the scatter of the readings makes the bounds wide. A machine that rested for seconds
//! and then worked for seconds is no beat, and its one step is misplaced by a period at most. The two differ in how
//! sharp they are. A sensor that sees a share `w` of its period `T` passes over the edge of a load of period `P` in
//! steps of `|T - P|`, so a beat takes `w T / |T - P|` readings from one level to the other and stays at none for longer
//! than `P / (w T)` times that: five times, as no known sensor sees less than a fifth. Bursts shorter than the time seen
//! make sharper beats, and a smaller step: a tenth of that time, at ten times the lower power, makes a step as high as
//! that power and a beat ten times as long as its flank. So a level must have lasted for ten times the flank, and for
//! as much longer as the step is smaller than the lower power.
//!
//! Must not know meters, counters, or what the bounds are for.

/// How many readings a change may take at most.
const LONGEST_FLANK: usize = 5;

/// How many times as long as the change both levels must have lasted, beyond two readings.
const LASTS: f64 = 10.0;

/// How many times as long as the change one level must have lasted, where what lies on its other side is none: a burst
/// that is a tenth as long as the time seen shows itself in a fortieth of the readings.
const LASTS_ALONE: f64 = 45.0;

/// Readings next to such a level that must all be away from it: where every second or third one goes back to it, the
/// load beats against a multiple of the sensor's period.
const NEAR: usize = 3;

/// Readings that tell how far from such a level what is beside it goes.
const BESIDE: usize = 10;

/// A level is one where all its readings lie within this share of the change.
const QUIET: f64 = 0.25;

/// A stretch of readings without a change of level in it, as a range of indices, and what changed after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// The first reading.
    pub(super) from: usize,
    /// One past the last reading.
    pub(super) to: usize,
    /// By how much the power changed on the way to the next level; zero after the last one.
    pub(super) change: f64,
}

/// Divides readings in time order, of which one in `each` is new, where their level changed. `rests` says whether the
/// machine is known to rest before the first reading and after the last one: a level there has lasted long enough,
/// however few of its readings are here.
pub(super) fn levels(watts: &[f64], each: usize, rests: (bool, bool)) -> Vec<Level> {
    let n = watts.len();
    let fresh: Vec<f64> = watts.iter().step_by(each).copied().collect();
    let mut levels = Vec::new();
    let (mut from, mut last) = (0, 0);
    while last + 1 < fresh.len() {
        let both = |flank| Some((flank, change(&fresh, from, last, flank, rests)?));
        let flank = (1..=LONGEST_FLANK).find_map(both).or_else(|| Some((1, change_beside(&fresh, from, last)?)));
        if let Some((flank, change)) = flank {
            levels.push(Level { from: from * each, to: last * each + 1, change });
            from = last + flank;
            last = from;
        } else {
            last += 1;
        }
    }
    levels.push(Level { from: from * each, to: n, change: 0.0 });
    levels
}

/// A reading beside another one that may be of another level.
struct Step<'a> {
    watts: &'a [f64],
    /// Where the level of `last` may begin.
    from: usize,
    last: usize,
    next: usize,
}

impl Step<'_> {
    fn height(&self) -> f64 {
        (self.watts[self.next] - self.watts[self.last]).abs()
    }

    /// How many times higher the lower of the two is than the step, where it is higher.
    fn beyond(&self) -> Option<f64> {
        let low = self.watts[self.last].min(self.watts[self.next]).max(0.0);
        Some((low / self.height()).max(1.0)).filter(|beyond| beyond.is_finite())
    }

    fn all_near(&self, range: std::ops::Range<usize>, level: usize) -> bool {
        self.watts[range].iter().all(|watts| (watts - self.watts[level]).abs() <= QUIET * self.height())
    }

    /// Whether a level of so many readings, or one that a rest before the first reading has begun, ends here.
    fn before(&self, needed: usize, rests: bool) -> bool {
        let first = self.from.max((self.last + 1).saturating_sub(needed));
        let long = self.last + 1 - first >= needed || (first == 0 && rests);
        long && self.all_near(first..self.last + 1, self.last)
    }

    /// Whether a level of so many readings, or one that a rest after the last reading goes on with, begins here.
    fn after(&self, needed: usize, rests: bool) -> bool {
        let end = self.watts.len().min(self.next + needed);
        let long = end - self.next >= needed || (end == self.watts.len() && rests);
        long && self.all_near(self.next..end, self.next)
    }
}

/// What changed between the reading `last`, whose level begins at `from` or later, and the one `flank` after it, where
/// a level ends and another begins.
fn change(watts: &[f64], from: usize, last: usize, flank: usize, rests: (bool, bool)) -> Option<f64> {
    let next = last + flank;
    let step = (next < watts.len()).then_some(Step { watts, from, last, next })?;
    let needed = (flank as f64 * (2.0 + LASTS * step.beyond()?)).ceil() as usize;
    // The change is all that lies between, and no part of a level.
    let apart = |it: f64| (it - watts[last]).abs().min((it - watts[next]).abs());
    let sharp = watts[last + 1..next].iter().all(|it| apart(*it) > 0.5 * QUIET * step.height());
    // What goes up and down on the way is all unknown.
    let way = || watts[last..=next].windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    (sharp && step.before(needed, rests.0) && step.after(needed, rests.1)).then(way)
}

/// What changed after the reading `last` where a level that lasted long ends or begins, and anything else is on its
/// other side: as much as the nearest readings there are from it at most.
fn change_beside(watts: &[f64], from: usize, last: usize) -> Option<f64> {
    let next = last + 1;
    let step = Step { watts, from, last, next };
    let needed = (LASTS_ALONE * step.beyond()?).ceil() as usize;
    let (level, beside): (_, Vec<f64>) = if step.before(needed, false) {
        (watts[last], watts[next..].iter().take(BESIDE).copied().collect())
    } else if step.after(needed, false) {
        (watts[next], watts[from..next].iter().rev().take(BESIDE).copied().collect())
    } else {
        return None;
    };
    let away = || beside.iter().map(|it| (it - level).abs());
    let left = beside.len() >= NEAR && away().take(NEAR).all(|away| away > QUIET * step.height());
    left.then(|| away().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_REST: (bool, bool) = (false, false);

    fn steps(parts: &[(usize, f64)]) -> Vec<f64> {
        parts.iter().flat_map(|(n, watts)| std::iter::repeat_n(*watts, *n)).collect()
    }

    fn ranges(watts: &[f64], rests: (bool, bool)) -> Vec<(usize, usize)> {
        levels(watts, 1, rests).iter().map(|level| (level.from, level.to)).collect()
    }

    /// What a sensor that sees the last `seen` ms of every 100 shows of `on` ms at `high` in every `period` ms, the rest
    /// at 100 W.
    fn seen(seen: f64, period: f64, on: f64, high: f64, first: f64) -> Vec<f64> {
        let energy = |t: f64| {
            let before = (t / period).floor();
            before * on + (t - before * period).clamp(0.0, on)
        };
        let share = |end: f64| (energy(end) - energy(end - seen)) / seen;
        (0..200).map(|i| 100.0 + (high - 100.0) * share(first + 1e6 + f64::from(i) * 100.0)).collect()
    }

    #[test]
    fn a_load_between_two_rests_is_three_levels() {
        let watts = steps(&[(40, 100.0), (200, 650.0), (40, 100.0)]);
        assert_eq!(ranges(&watts, NO_REST), [(0, 40), (40, 240), (240, 280)]);
        // With readings on the way up and down, which count as the change.
        let watts = steps(&[(40, 100.0), (1, 300.0), (200, 650.0), (1, 480.0), (1, 300.0), (40, 100.0)]);
        let all = levels(&watts, 1, NO_REST);
        assert_eq!(ranges(&watts, NO_REST), [(0, 40), (41, 241), (243, 283)]);
        assert!(all.iter().map(|level| level.change).eq([550.0, 550.0, 0.0]), "{all:?}");
    }

    #[test]
    fn readings_that_repeat_are_one() {
        // A slow gauge: each value is read ten times, and three of them in a row are no level.
        let beat = steps(&[(30, 650.0), (30, 100.0), (30, 650.0), (30, 100.0)]);
        assert_eq!(levels(&beat, 10, NO_REST).len(), 1);
        let watts = steps(&[(200, 100.0), (200, 650.0)]);
        let all: Vec<_> = levels(&watts, 10, NO_REST).iter().map(|level| (level.from, level.to)).collect();
        assert_eq!(all, [(0, 191), (200, 400)]);
    }

    #[test]
    fn a_short_stretch_is_a_level_only_beside_a_known_rest() {
        let watts = steps(&[(2, 100.0), (40, 650.0), (4, 100.0)]);
        assert_eq!(ranges(&watts, NO_REST), [(0, 46)]);
        assert_eq!(ranges(&watts, (true, false)), [(0, 2), (2, 46)]);
        assert_eq!(ranges(&watts, (true, true)), [(0, 2), (2, 42), (42, 46)]);
        assert_eq!(ranges(&steps(&[(10, 100.0), (10, 650.0)]), NO_REST), [(0, 20)]);
    }

    #[test]
    fn a_long_rest_is_a_level_beside_anything() {
        let bursts = (0..200).map(|i| if i * 37 % 100 < 60 { 650.0 } else { 300.0 });
        let watts: Vec<f64> =
            std::iter::repeat_n(100.0, 50).chain(bursts).chain(std::iter::repeat_n(100.0, 50)).collect();
        let all = levels(&watts, 1, NO_REST);
        assert_eq!(ranges(&watts, NO_REST), [(0, 50), (50, 250), (250, 300)]);
        assert_eq!((all[0].change, all[1].change), (550.0, 550.0));
        assert_eq!(ranges(&watts[20..280], NO_REST), [(0, 260)]);
    }

    #[test]
    fn the_smaller_the_step_the_longer_it_must_last() {
        let watts = |n: usize| steps(&[(n, 100.0), (n, 120.0)]);
        assert_eq!(ranges(&watts(30), NO_REST), [(0, 60)]);
        assert_eq!(ranges(&watts(60), NO_REST), [(0, 60), (60, 120)]);
    }

    #[test]
    fn no_beat_is_taken_for_a_level() {
        // Every period but those that the sensor is locked to, whose beats last as long as the window and show nothing.
        for window in [20.0, 25.0, 50.0, 100.0] {
            for period in (150..=3200).map(|tenths| f64::from(tenths) * 0.1) {
                for share in [0.05, 0.1, 0.3, 0.5, 0.7, 0.9] {
                    // Of bursts shorter than a tenth of what is seen, and higher than ten times the rest, nothing is said.
                    if share * period < 0.1 * window {
                        continue;
                    }
                    for first in [0.0, 17.0, 59.0] {
                        let watts = seen(window, period, share * period, 1000.0, first);
                        let found = levels(&watts, 1, NO_REST);
                        assert_eq!(found.len(), 1, "{period} ms, {share}, {window} ms seen: {found:?} {watts:?}");
                    }
                }
            }
        }
    }
}
