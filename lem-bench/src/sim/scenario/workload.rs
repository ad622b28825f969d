//! The workload of a scenario: the lengths of its requests, their times, and every random effect on them.

use serde::{Deserialize, Serialize};

use super::Tokens;

/// What is run on the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadSpec {
    /// Tokens of a prompt.
    pub input_tokens: Tokens,
    /// Tokens that a request generates.
    pub output_tokens: Tokens,
    /// Seconds per prompt token.
    pub prefill_s_per_token: f64,
    /// Seconds per generated token.
    pub decode_s_per_token: f64,
    /// Seconds before the prompt is read, in which the devices are at loaded idle.
    pub overhead_s: f64,
    /// Coefficient of variation of a request's time within a cycle (a lognormal factor with mean 1).
    pub request_cv: f64,
    /// Correlation of that noise between one request and the next (first-order autoregression of its logarithm).
    pub request_ar1: f64,
    /// Coefficient of variation of the power of prefill and decode between cycles (a lognormal factor with mean 1).
    pub cycle_cv: f64,
    /// The same between sessions.
    pub session_cv: f64,
    /// The same between starts of a side of a comparison.
    pub launch_cv: f64,
    /// How much longer the first requests take.
    pub warmup: WarmupSpec,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        Self {
            input_tokens: Tokens::Fixed(128),
            output_tokens: Tokens::Fixed(64),
            prefill_s_per_token: 2e-5,
            decode_s_per_token: 8e-3,
            overhead_s: 1e-3,
            request_cv: 0.0,
            request_ar1: 0.0,
            cycle_cv: 0.0,
            session_cv: 0.0,
            launch_cv: 0.0,
            warmup: WarmupSpec { shape: WarmupShape::None, ..WarmupSpec::default() },
        }
    }
}

/// A multiplier of the times of the first requests of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmupSpec {
    /// How the multiplier goes down to 1.
    pub shape: WarmupShape,
    /// The multiplier of the first request.
    pub factor: f64,
    /// The number of requests from which the multiplier is exactly 1.
    pub requests: u64,
}

impl Default for WarmupSpec {
    fn default() -> Self {
        Self { shape: WarmupShape::Exp, factor: 1.5, requests: 20 }
    }
}

/// The shape of a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarmupShape {
    /// What is above 1 falls as exp(−5 n / requests) for n below `requests`, then there is none.
    Exp,
    /// The whole factor for `requests` requests, then none.
    Step,
    /// A straight line from the factor down to 1.
    Ramp,
    /// No warm-up.
    None,
}

impl WarmupSpec {
    /// The multiplier of the time of request `n`, counted from 0.
    pub fn multiplier(&self, n: u64) -> f64 {
        if n >= self.requests {
            return 1.0;
        }
        let share = n as f64 / self.requests as f64;
        let left = match self.shape {
            WarmupShape::Exp => (-5.0 * share).exp(),
            WarmupShape::Step => 1.0,
            WarmupShape::Ramp => 1.0 - share,
            WarmupShape::None => 0.0,
        };
        1.0 + (self.factor - 1.0) * left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warmups_begin_at_their_factor_and_end_on_time() {
        for (shape, middle) in
            [(WarmupShape::Exp, 1.0 + 0.5 * (-2.5f64).exp()), (WarmupShape::Step, 1.5), (WarmupShape::Ramp, 1.25)]
        {
            let warmup = WarmupSpec { shape, ..WarmupSpec::default() };
            assert_eq!(warmup.multiplier(0), 1.5, "{shape:?}");
            assert!((warmup.multiplier(10) - middle).abs() < 1e-12, "{shape:?}");
            assert!(warmup.multiplier(19) > 1.0, "{shape:?}");
            assert_eq!(warmup.multiplier(20), 1.0, "{shape:?}");
        }
        let none = WorkloadSpec::default().warmup;
        assert_eq!(none.multiplier(0), 1.0);
    }
}
