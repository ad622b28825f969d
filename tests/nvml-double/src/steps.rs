//! A piecewise constant function of time, and its exact integral.

use serde::{Deserialize, Serialize};

/// A value that changes in steps and may repeat.
///
/// In JSON: a number, a list of `[seconds, value]`, or `{"steps": [[seconds, value], …], "repeat_s": seconds}`. Before the
/// first step, it has the first value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Steps {
    steps: Vec<(f64, f64)>,
    repeat_s: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Constant(f64),
    List(Vec<(f64, f64)>),
    Repeating { steps: Vec<(f64, f64)>, repeat_s: f64 },
}

impl From<Form> for Steps {
    fn from(form: Form) -> Self {
        let (mut steps, repeat_s) = match form {
            Form::Constant(value) => (vec![(0.0, value)], None),
            Form::List(steps) => (steps, None),
            Form::Repeating { steps, repeat_s } => (steps, Some(repeat_s).filter(|repeat_s| *repeat_s > 0.0)),
        };
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        if steps.is_empty() {
            steps.push((0.0, 0.0));
        }
        Self { steps, repeat_s }
    }
}

impl From<Steps> for Form {
    fn from(Steps { steps, repeat_s }: Steps) -> Self {
        match repeat_s {
            Some(repeat_s) => Self::Repeating { steps, repeat_s },
            None => Self::List(steps),
        }
    }
}

impl Steps {
    /// Returns a constant value.
    pub fn constant(value: f64) -> Self {
        Form::Constant(value).into()
    }

    /// Returns the steps `(seconds, value)`: each value from that moment on.
    pub fn list(steps: impl Into<Vec<(f64, f64)>>) -> Self {
        Form::List(steps.into()).into()
    }

    /// Returns `steps`, repeated every `repeat_s` seconds.
    pub fn repeating(steps: impl Into<Vec<(f64, f64)>>, repeat_s: f64) -> Self {
        Form::Repeating { steps: steps.into(), repeat_s }.into()
    }

    /// Returns the value at `t` seconds.
    pub fn at(&self, t: f64) -> f64 {
        let (_, t) = self.cycles(t);
        let reached = self.steps.partition_point(|(start, _)| *start <= t);
        self.steps[reached.saturating_sub(1)].1
    }

    /// Returns the integral from `from` to `to` seconds: joules if the value is in watts.
    pub fn integral(&self, from: f64, to: f64) -> f64 {
        self.since_zero(to) - self.since_zero(from)
    }

    fn since_zero(&self, t: f64) -> f64 {
        let (cycles, rest) = self.cycles(t);
        cycles * self.repeat_s.map_or(0.0, |repeat_s| self.integral_once(repeat_s)) + self.integral_once(rest)
    }

    /// Returns the number of complete repetitions at `t`, and the time since the last one began.
    fn cycles(&self, t: f64) -> (f64, f64) {
        match self.repeat_s {
            // Not `t % repeat_s`: rounding could make that nearly a whole repetition and this quotient one more.
            Some(repeat_s) if t > 0.0 => {
                let cycles = (t / repeat_s).floor();
                (cycles, (t - cycles * repeat_s).max(0.0))
            }
            _ => (0.0, t),
        }
    }

    /// Returns the integral from 0 to `t` without repetition; negative for a negative `t`.
    fn integral_once(&self, t: f64) -> f64 {
        let first = self.steps[0].1;
        if t <= 0.0 {
            // Steps before 0 are ignored: the energy before the replay is not used.
            return first * t;
        }
        let ends = self.steps.iter().skip(1).map(|(start, _)| *start).chain([f64::INFINITY]);
        let starts = [0.0].into_iter().chain(self.steps.iter().skip(1).map(|(start, _)| *start));
        let values = self.steps.iter().map(|(_, value)| *value);
        let pieces = starts.zip(ends).zip(values);
        pieces.map(|((start, end), value)| value * (end.min(t) - start.max(0.0)).max(0.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(json: &str) -> Steps {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn integrates_steps() {
        let power = steps("[[0, 70], [1, 400], [3, 70]]");
        assert_eq!(power.at(-1.0), 70.0);
        assert_eq!((power.at(0.999), power.at(1.0), power.at(3.0)), (70.0, 400.0, 70.0));
        assert!((power.integral(0.5, 3.5) - (35.0 + 800.0 + 35.0)).abs() < 1e-9);
        assert!((power.integral(-1.0, 0.0) - 70.0).abs() < 1e-9);
    }

    #[test]
    fn repeats() {
        let power = steps(r#"{"steps": [[0, 100], [0.25, 0]], "repeat_s": 1.0}"#);
        assert_eq!((power.at(7.2), power.at(7.3)), (100.0, 0.0));
        assert!((power.integral(0.0, 10.0) - 250.0).abs() < 1e-9);
        assert!((power.integral(0.2, 1.2) - 25.0).abs() < 1e-9);
    }

    #[test]
    fn round_trips_constant() {
        let power = steps("250");
        assert!((power.integral(3.0, 5.0) - 500.0).abs() < 1e-9);
        let again = steps(&serde_json::to_string(&power).unwrap());
        assert_eq!(again, power);
    }
}
