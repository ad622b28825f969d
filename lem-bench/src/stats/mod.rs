//! Statistics: pure functions on slices (intervals, tests, quantiles, warm-up detection, multiple comparisons).
//!
//! Must not know benchmarks, files or clocks, and imports nothing else of the crate. The cycle is the unit: functions
//! take one value a cycle, and what is pooled is resampled by whole cycles. Sums are exact, a variance of equal values
//! is exactly 0, no tolerance is absolute, and what cannot be computed is a [`StatsError`], never a panic.
//!
//! ```
//! use lem_bench::stats::{Idle, RatioInput, Resampling, bootstrap_ratio, ratio_ci};
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
//! // The same interval by resampling: again and again to the last bit, on any number of threads.
//! let resampling = Resampling { seed: 7, ..Resampling::default() };
//! let again = Resampling { threads: Some(3), ..resampling };
//! assert_eq!(bootstrap_ratio(&input, &resampling)?, bootstrap_ratio(&input, &again)?);
//! # Ok::<(), lem_bench::stats::StatsError>(())
//! ```

mod adaptive;
mod bca;
mod bootstrap;
mod bootstrap_ci;
mod bootstrap_quantiles;
mod change;
mod change_points;
mod compare;
mod effect;
mod equivalence;
mod error;
mod exhaustive;
mod fdr;
mod fieller;
mod idle;
mod line;
mod mean_ci;
mod mser;
mod normal;
mod permutation;
mod pooled;
mod pooled_build;
mod quantile;
mod quantile_ci;
mod ratio;
mod resample;
mod sample;
mod session;
mod student;
mod sum;
mod summary;
mod trend;
mod verdict;
mod warmup;

pub use adaptive::{AdaptiveReason, AdaptiveRule, AdaptiveStop, adaptive_stop};
pub use bca::{Bca, bca_from_reps, jackknife_ratio};
pub use bootstrap::{bootstrap_mean, bootstrap_ratio};
pub use bootstrap_ci::{Bootstrap, BootstrapCi, BootstrapMethod};
pub use bootstrap_quantiles::{QuantileBootstrap, bootstrap_quantiles};
pub use change::{LogChange, detectable_pct};
pub use change_points::{ChangePoint, ChangePointRule, change_points};
pub use compare::{Welch, paired_log, welch, welch_log};
pub use effect::{HedgesG, hedges_g};
pub use equivalence::{Tost, tost_from, tost_log};
pub use error::StatsError;
pub use exhaustive::{Exhaustive, exhaustive_cluster};
pub use fdr::benjamini_hochberg;
pub use fieller::fieller;
pub use idle::{Idle, IdleMean, idle_mean};
pub use line::{Line, line};
pub use mean_ci::{MeanCi, mean_ci};
pub use mser::{Mser, MserStatus, mser5};
pub use normal::{norm_cdf, norm_ppf, norm_sf};
pub use permutation::{Permutation, perm_exact};
pub use pooled::PooledSamples;
pub use quantile::quantile7;
pub use quantile_ci::{QuantileCi, QuantileCiError, quantile_ci};
pub use ratio::{ADAPTIVE_INFLATION, RatioCi, RatioInput, ratio_ci};
pub use resample::{GENERATOR, Resampling};
pub use sample::Sample;
pub use session::{SessionPrediction, SessionPrior, session_prediction};
pub use student::{t_cdf, t_ppf, t_sf};
pub use summary::{Summary, summary};
pub use trend::{Trend, trend};
pub use verdict::{Judged, Suspicion, Verdict, verdict};
pub use warmup::{Warmup, WarmupCode, WarmupRule, warmup};
