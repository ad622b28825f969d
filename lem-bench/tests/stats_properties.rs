//! Properties of the statistics: no input makes them panic, and their results are consistent with each other and with
//! the reference implementations.

mod reference_stats;

use lem_bench::__private::stats::*;
use proptest::collection::vec;
use proptest::prelude::*;
use reference_stats::quantile::quantile7;
use reference_stats::{exhaustive_cluster, fieller, hedges_g, mser5, perm_exact, tost_log, welch, welch_log};

/// Any value: ties, tiny and huge values, NaN, infinities.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e3..1e3,
        2 => Just(1.0),
        1 => Just(0.0),
        2 => 1e12..1.000001e12,
        2 => 1e-12..1.1e-12,
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0)],
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(5e-324)],
    ]
}

/// Slices of arbitrary values, of one repeated value, and of well-behaved values.
fn slice() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        2 => vec(wild(), 0..12),
        1 => (wild(), 0..12_usize).prop_map(|(v, n)| std::vec![v; n]),
        2 => vec(0.5..2.0, 0..12),
    ]
}

/// Positive values within a factor of four, in any unit.
fn plain(n: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    (vec(0.5..2.0, n), prop_oneof![Just(1.0), Just(1e12), Just(1e-12)])
        .prop_map(|(x, unit)| x.into_iter().map(|v| v * unit).collect())
}

fn few() -> Resampling {
    Resampling { resamples: 130, seed: 1, threads: Some(2) }
}

/// The bootstrap of a mean: the ratio with the denominator 1.
fn bootstrap_mean(x: &[f64], resampling: &Resampling) -> Result<Bootstrap, StatsError> {
    let ones = std::vec![1.0; x.len()];
    bootstrap_ratio(&RatioInput::new(x, &ones, &ones), resampling)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(
        (a, b, c, x, y, z) in (slice(), slice(), slice(), wild(), wild(), wild()),
        n in 0..400_usize,
    ) {
        let _ = (quantile7(&a, &b), summary(&a), idle_mean(&a), mean_ci(&a, x), fieller(&a, &b, x));
        let _ = (jackknife_ratio(&a, &b), bca_from_reps(x, &a, &b, y), welch(&a, &b, x), welch_log(&a, &b, x));
        let _ = (paired_log(&a, &b, x), tost_log(&a, &b, x, y), tost_from(x, y, z, x, y), hedges_g(&a, &b));
        let _ = (mser5(&a, n % 7).map(|m| m.status.code()), trend(&a), LogChange::from_estimate(x, y, z, 0.95));
        let _ = (t_sf(x, y), t_ppf(x, y), norm_cdf(x), norm_sf(x), norm_ppf(x));
        let _ = session_prediction(&a, x, SessionPrior { s0: y, d0: z }, 0.95);
        let _ = benjamini_hochberg(&a.iter().map(|&p| (p != 1.0).then_some(p)).collect::<Vec<_>>());
        let rule = ChangePointRule { permutations: 199, min_entries: n % 5, ..ChangePointRule::default() };
        let _ = change_points(&a, &rule);
        let long: Vec<f64> = a.iter().cycle().take(n).copied().collect();
        let _ = (warm_up(&long, &WarmUpRule::default()), warm_up(&long, &WarmUpRule { delta: x, floor: n, winsor: y, ..WarmUpRule::default() }));
        let _ = adaptive_stop(x, n % 40, y, &AdaptiveRule { conf: z, n_min: n % 9, ..AdaptiveRule::default() });
        let input = VerdictInput { pct: x, pct_low: y, pct_high: z, p_adj: Some(x), tost_p: Some(y) };
        let _ = verdict(&input, z, 0.05);
        if a.len() + b.len() < 12 {
            let _ = perm_exact(&a, &b);
        }
        if a.len() < 6 {
            let _ = exhaustive_cluster(&a, &b, 0.95);
        }
        for idle in [Idle::None, Idle::Shared { p: x, se: y, df: Some(z) }, Idle::Blocks(&c), Idle::PerCycle(&c)] {
            let input = RatioInput { idle, inflate: x, ..RatioInput::new(&a, &b, &a) };
            let _ = (ratio_ci(&input), bootstrap_ratio(&input, &few()));
            let input = RatioInput { idle, ..RatioInput::new(&a, &b, &b) };
            let _ = (ratio_ci(&input), bootstrap_ratio(&input, &few()));
        }
        let _ = bootstrap_mean(&a, &few());
        if let Ok(pool) = PooledSamples::new(&[&a, &b, &c], Some(2)) {
            let _ = (pool.bootstrap(&[0.0, 0.5, 0.99], 0.9, &few()), pool.interval(x, y));
        }
    }

    #[test]
    fn intervals_contain_estimate((y, n) in (2..12_usize).prop_flat_map(|c| (plain(c), plain(c)))) {
        let r = ratio_ci(&RatioInput::new(&y, &y, &n)).unwrap();
        prop_assert!(0.0 < r.low && r.low <= r.theta && r.theta <= r.high);
        let wider = ratio_ci(&RatioInput { inflate: ADAPTIVE_INFLATION, ..RatioInput::new(&y, &y, &n) }).unwrap();
        prop_assert!(wider.low <= r.low && r.high <= wider.high);
        let b = bootstrap_ratio(&RatioInput::new(&y, &y, &n), &few()).unwrap();
        prop_assert!(b.percentile.low <= b.percentile.high && b.bca.low <= b.bca.high);
        prop_assert!((b.theta / r.theta - 1.0).abs() < 1e-12);
        let m = mean_ci(&y, 0.95).unwrap();
        prop_assert!(m.low <= m.mean && m.mean <= m.high);
    }

    #[test]
    fn independent_of_unit((y, n) in (2..9_usize).prop_flat_map(|c| (vec(0.5..2.0, c), vec(0.5..2.0, c)))) {
        // Powers of two scale without rounding: every digit must agree.
        let unit = 2.0_f64.powi(100);
        let scaled: Vec<f64> = y.iter().map(|v| v * unit).collect();
        let small = ratio_ci(&RatioInput::new(&y, &n, &n)).unwrap();
        let large = ratio_ci(&RatioInput::new(&scaled, &n, &n)).unwrap();
        prop_assert_eq!((small.theta * unit, small.se * unit, small.df), (large.theta, large.se, large.df));
        let (small, large) = (welch(&y, &n, 0.95).unwrap(), welch(&scaled, &n.iter().map(|v| v * unit).collect::<Vec<_>>(), 0.95).unwrap());
        prop_assert_eq!((small.t, small.df, small.p), (large.t, large.df, large.p));
    }

    #[test]
    fn independent_of_order(x in plain(2..20)) {
        let mut reversed = x.clone();
        reversed.reverse();
        prop_assert_eq!(summary(&x).unwrap(), summary(&reversed).unwrap());
        prop_assert_eq!(idle_mean(&x).unwrap(), idle_mean(&reversed).unwrap());
    }

    #[test]
    fn swapped_sides_mirror_change((a, b) in (3..9_usize).prop_flat_map(|n| (plain(n), plain(n)))) {
        let (forward, backward) = (welch_log(&a, &b, 0.95).unwrap(), welch_log(&b, &a, 0.95).unwrap());
        prop_assert_eq!((forward.log_ratio, forward.se, forward.p), (-backward.log_ratio, backward.se, backward.p));
        let (forward, backward) = (perm_exact(&a, &b).ok(), perm_exact(&b, &a).ok());
        prop_assert_eq!(forward.map(|p| p.p), backward.map(|p| p.p));
    }

    #[test]
    fn adjusted_p_values_keep_order(p in vec(proptest::option::of(0.0..=1.0_f64), 0..30)) {
        let q = benjamini_hochberg(&p).unwrap();
        let mut pairs: Vec<(f64, f64)> = p.iter().zip(&q).filter_map(|(p, q)| p.zip(*q)).collect();
        prop_assert_eq!(pairs.len(), p.iter().flatten().count());
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        // p·m/m may round to just below p.
        prop_assert!(pairs.iter().all(|(p, q)| p * (1.0 - 1e-15) <= *q && *q <= 1.0));
        prop_assert!(pairs.windows(2).all(|w| w[0].1 <= w[1].1));
    }

    #[test]
    fn quantile_functions_invert_tails(p in 1e-12..0.999_f64, df in 0.3..1e6_f64) {
        let t = t_ppf(p, df);
        let t_cdf = |t: f64, df| t_sf(-t, df);
        prop_assert!((t_cdf(t, df) / p - 1.0).abs() < 1e-11, "{} {}", t, t_cdf(t, df));
        prop_assert!((norm_cdf(norm_ppf(p)) / p - 1.0).abs() < 1e-11);
        prop_assert_eq!(t_ppf(0.5, df), 0.0);
    }

    #[test]
    fn independent_of_thread_count(x in plain(2..12), seed in any::<u64>(), threads in 1..9_usize) {
        let run = |threads| Resampling { resamples: 300, seed, threads };
        prop_assert_eq!(bootstrap_mean(&x, &run(Some(1))), bootstrap_mean(&x, &run(Some(threads))));
        prop_assert_eq!(bootstrap_mean(&x, &run(Some(1))), bootstrap_mean(&x, &run(None)));
    }

    #[test]
    fn quantiles_match_concatenation(
        cycles in vec(vec(prop_oneof![0..20_u32, any::<u32>()], 1..60), 1..6),
        times in vec(0..4_u32, 6),
        q in 0.0..=1.0_f64,
    ) {
        let slices: Vec<&[u32]> = cycles.iter().map(Vec::as_slice).collect();
        let times = &times[..cycles.len()];
        let all: Vec<f64> = cycles
            .iter()
            .zip(times)
            .flat_map(|(c, &t)| (0..t).flat_map(|_| c.iter().map(|&v| f64::from(v))))
            .collect();
        let pool = PooledSamples::new(&slices, None).unwrap();
        prop_assert_eq!(pool.mixture_quantile(times, q), quantile7(&all, &[q]).map(|q| q[0]));
    }
}

#[test]
fn random_resamples_match_exhaustive() {
    let y = [100.0, 104.0, 98.0, 120.0, 101.0];
    let n = [50.0, 51.0, 49.0, 50.0, 52.0];
    let all = exhaustive_cluster(&y, &n, 0.9).unwrap();
    let input = RatioInput { conf: 0.9, ..RatioInput::new(&y, &n, &n) };
    let random = bootstrap_ratio(&input, &Resampling { resamples: 200_000, ..Resampling::default() }).unwrap();
    // Monte Carlo: the distribution is discrete, so a quantile moves by a step of the support or not at all.
    let near = |got: f64, want: f64| assert!((got - want).abs() < 0.004 * want, "{got} {want}");
    near(random.percentile.low, all.bca.pct_low);
    near(random.percentile.high, all.bca.pct_high);
    near(random.bca.low, all.bca.bca_low);
    near(random.bca.high, all.bca.bca_high);
    let (t, want) = (random.studentized.unwrap(), all.studentized.unwrap());
    near(t.low, want.0);
    assert!((t.high - want.1).abs() < 0.02 * want.1, "{} {}", t.high, want.1);
    let share = all.n_studentized as f64 / all.n_resamples as f64;
    assert!((t.used as f64 / 200_000.0 - share).abs() < 0.001);
}
