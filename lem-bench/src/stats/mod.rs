//! Statistics: pure functions on slices (intervals, tests, quantiles, stopping rules, change points).
//!
//! The cycle is the unit: functions take one value per cycle, and pooled samples are resampled by whole cycles. Sums
//! are exact, the variance of equal values is exactly 0, and no tolerance is absolute. A statistic that does not exist
//! for the given data is a [`StatsError`], never a panic. The module imports nothing else of the crate.
//!
//! ```
//! use lem_bench::__private::stats::{Idle, RatioInput, Resampling, bootstrap_ratio, ratio_ci};
//!
//! let energy_j = [70_592.6, 65_619.4, 70_273.3, 67_953.1, 71_280.4];
//! let time_s = [246.2, 235.7, 246.4, 242.2, 253.5];
//! let tokens = [20_176.0, 19_266.0, 20_216.0, 19_818.0, 20_770.0];
//! let idle = Idle::Blocks(&[71.7, 70.6, 70.6, 70.1, 70.7]);
//! let input = RatioInput { idle, ..RatioInput::new(&energy_j, &time_s, &tokens) };
//!
//! let net = ratio_ci(&input)?;
//! assert!(net.low < net.theta && net.theta < net.high);
//!
//! // The same interval by resampling: identical to the last bit on any number of threads.
//! let resampling = Resampling { seed: 7, ..Resampling::default() };
//! let three_threads = Resampling { threads: Some(3), ..resampling };
//! assert_eq!(bootstrap_ratio(&input, &resampling)?, bootstrap_ratio(&input, &three_threads)?);
//! # Ok::<(), lem_bench::__private::stats::StatsError>(())
//! ```

mod bootstrap;
mod bootstrap_ci;
mod change;
mod change_points;
mod descriptive;
mod distributions;
mod error;
mod least_squares;
mod pooled;
mod pooled_intervals;
mod ratio;
mod sample;
mod stopping;

pub use bootstrap::bootstrap_ratio;
pub use bootstrap_ci::{Bca, Bootstrap, BootstrapCi, bca_from_reps, jackknife_ratio};
pub use change::{
    LogChange, SessionPrior, Suspicion, Tost, Verdict, VerdictInput, benjamini_hochberg, paired_log,
    session_prediction, tost_from, verdict,
};
pub use change_points::{ChangePoint, ChangePointRule, change_points, line, trend};
pub use descriptive::{mean_ci, summary};
pub use distributions::{chi_squared_ppf, norm_cdf, norm_ppf, norm_sf, t_ppf, t_sf};
pub use error::StatsError;
pub use least_squares::LeastSquares;
pub use pooled::PooledSamples;
pub use ratio::{ADAPTIVE_INFLATION, Idle, RatioCi, RatioInput, idle_mean, ratio_ci};
pub use sample::{Resampling, Sample};
pub use stopping::{AdaptiveRule, WarmUp, WarmUpRule, WarmUpState, adaptive_stop, warm_up};
