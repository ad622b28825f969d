//! Calls the function that a vector names and returns its result under the names of the schema.
//!
//! Functions that the library does not have are those of `reference_stats`.

use super::input::{CaseError, Input};
use super::reference_stats as reference;
use super::value::Got;
use lem_bench::__private::stats::{
    self, AdaptiveRule, Bca, Idle, LogChange, PooledSamples, RatioInput, SessionPrior, VerdictInput, WarmUpRule,
};

/// Names and values of a result.
pub(crate) type Answer = Vec<(&'static str, Got)>;

macro_rules! answer {
    ($($key:literal: $value:expr),* $(,)?) => { vec![$(($key, Got::from($value))),*] };
}

/// Runs `function` on `input`.
pub(crate) fn call(function: &str, input: Input<'_>) -> Result<Answer, CaseError> {
    match function {
        "quantile7" => quantiles(input),
        "summary" => summary(input),
        "baseline" => {
            let idle = stats::idle_mean(&input.list("blocks")?)?;
            Ok(answer! { "p_idle": idle.p, "se": idle.se, "df": idle.df })
        }
        "ratio_ci" => ratio_ci(input),
        "fieller" => {
            let ends = reference::fieller(&input.list("y")?, &input.list("n")?, conf(input)?)?;
            Ok(answer! { "bounded": ends.is_some(), "lo": ends.map(|e| e.0), "hi": ends.map(|e| e.1) })
        }
        "bca_from_reps" => {
            let (theta, reps, jack) = (input.number("theta_hat")?, input.list("reps")?, input.list("jack")?);
            Ok(bca(&stats::bca_from_reps(theta, &reps, &jack, conf(input)?)?))
        }
        "exhaustive_cluster" => exhaustive(input),
        "welch" => {
            let w = reference::welch(&input.list("a")?, &input.list("b")?, conf(input)?)?;
            Ok(answer! { "diff": w.diff, "se": w.se, "df": w.df, "t": w.t, "p": w.p, "lo": w.low, "hi": w.high })
        }
        "welch_log" => Ok(change(&reference::welch_log(&input.list("a")?, &input.list("b")?, conf(input)?)?)),
        "paired_log" => Ok(change(&stats::paired_log(&input.list("a")?, &input.list("b")?, conf(input)?)?)),
        "tost_log" => {
            let (margin, alpha) = (input.number("margin_pct")?, input.number_or("alpha", 0.05)?);
            let t = reference::tost_log(&input.list("a")?, &input.list("b")?, margin, alpha)?;
            Ok(answer! { "p_lower": t.p_lower, "p_upper": t.p_upper, "p": t.p, "equivalent": t.equivalent })
        }
        "hedges_g" => {
            let h = reference::hedges_g(&input.list("a")?, &input.list("b")?)?;
            Ok(answer! { "g": h.g, "d": h.d, "j": h.j })
        }
        "perm_exact" => {
            let p = reference::perm_exact(&input.list("a")?, &input.list("b")?)?;
            Ok(answer! { "count": p.count, "total": p.total, "p": p.p })
        }
        "bh" => Ok(answer! { "q": stats::benjamini_hochberg(&input.list_with_gaps("p")?)? }),
        "session_prediction" => session(input),
        "mser5" => {
            let m = reference::mser5(&input.list("x")?, input.count_or("batch", 5)?)?;
            Ok(answer! { "cut": m.cut, "batches": m.batches, "status": m.status.code() })
        }
        "warmup" => warm_up(input),
        "trend" => {
            let t = stats::trend(&input.list("x")?)?;
            Ok(answer! { "slope": t.slope, "p": t.p, "r1": t.r1 })
        }
        "adaptive_stop" => adaptive(input),
        "verdict" => verdict(input),
        "special_fn" => special(input),
        _ => Err(CaseError::Malformed(format!("unknown function {function:?}"))),
    }
}

fn conf(input: Input<'_>) -> Result<f64, CaseError> {
    input.number_or("conf", 0.95)
}

fn quantiles(input: Input<'_>) -> Result<Answer, CaseError> {
    let (x, q) = (input.list("x")?, input.list("q")?);
    let pool = PooledSamples::new(&[&x], None)?;
    let values = q.iter().map(|&q| pool.quantile(q)).collect::<Result<Vec<f64>, _>>()?;
    Ok(answer! { "q": values })
}

fn summary(input: Input<'_>) -> Result<Answer, CaseError> {
    let s = stats::summary(&input.list("x")?)?;
    Ok(answer! {
        "n": s.n, "mean": s.mean, "var": s.var, "sd": s.sd, "cv": s.cv, "median": s.median, "mad": s.mad,
    })
}

fn ratio_ci(input: Input<'_>) -> Result<Answer, CaseError> {
    let (energy_j, time_s, tokens) = (input.list("energy_j")?, input.list("time_s")?, input.list("tokens")?);
    let per_cycle = input.optional_list("baseline_per_cycle")?;
    let idle = match &per_cycle {
        Some(powers) => Idle::PerCycle(powers),
        None => Idle::Shared {
            p: input.number_or("p_idle", 0.0)?,
            se: input.number_or("se_idle", 0.0)?,
            df: input.optional_number("df_idle")?,
        },
    };
    let r = stats::ratio_ci(&RatioInput { idle, conf: conf(input)?, ..RatioInput::new(&energy_j, &time_s, &tokens) })?;
    Ok(answer! {
        "theta": r.theta, "se_within": r.se_within, "se_baseline": r.se_idle, "se": r.se, "df": r.df,
        "t_crit": r.t_crit, "lin_lo": r.lin_low, "lin_hi": r.lin_high,
        "log_lo": r.log.map(|l| l.0), "log_hi": r.log.map(|l| l.1),
    })
}

fn bca(b: &Bca) -> Answer {
    answer! {
        "z0": b.z0, "a": b.a, "alpha_lo": b.alpha_low, "alpha_hi": b.alpha_high,
        "pct_lo": b.pct_low, "pct_hi": b.pct_high, "bca_lo": b.bca_low, "bca_hi": b.bca_high,
    }
}

fn exhaustive(input: Input<'_>) -> Result<Answer, CaseError> {
    let e = reference::exhaustive_cluster(&input.list("y")?, &input.list("n")?, conf(input)?)?;
    let mut answer = bca(&e.bca);
    answer.extend(answer! {
        "theta": e.theta, "se": e.se, "n_resamples": e.n_resamples, "n_studentized": e.n_studentized,
        "bt_lo": e.studentized.map(|s| s.0), "bt_hi": e.studentized.map(|s| s.1),
    });
    Ok(answer)
}

fn change(c: &LogChange) -> Answer {
    answer! {
        "log_ratio": c.log_ratio, "se": c.se, "df": c.df, "t": c.t, "p": c.p,
        "pct": c.pct, "pct_lo": c.pct_low, "pct_hi": c.pct_high,
    }
}

fn session(input: Input<'_>) -> Result<Answer, CaseError> {
    let prior = SessionPrior { s0: input.number("s0")?, d0: input.number("d0")? };
    let (history, new) = (input.list("log_history")?, input.number("log_new")?);
    let s = stats::session_prediction(&history, new, prior, conf(input)?)?;
    let mut answer = change(&s.change);
    answer.push(("s_mod", s.s_mod.into()));
    Ok(answer)
}

fn warm_up(input: Input<'_>) -> Result<Answer, CaseError> {
    let default = WarmUpRule::default();
    let rule = WarmUpRule {
        delta: input.number_or("delta", default.delta)?,
        floor: input.count_or("floor", default.floor)?,
        soft: input.count_or("soft", default.soft)?,
        cap: input.count_or("cap", default.cap)?,
        winsor: input.number_or("winsor", default.winsor)?,
    };
    let w = stats::warm_up(&input.list("x")?, &rule)?;
    Ok(answer! { "stop": w.stop, "code": w.code.code(), "d": w.drift, "bound": w.bound })
}

fn adaptive(input: Input<'_>) -> Result<Answer, CaseError> {
    let default = AdaptiveRule::default();
    let rule = AdaptiveRule {
        n_min: input.count_or("n_min", default.n_min)?,
        n_max: input.count_or("n_max", default.n_max)?,
        inflate: input.number_or("k", default.inflate)?,
        conf: conf(input)?,
    };
    let n = input.number("n").and_then(|_| input.count_or("n", 0))?;
    let target = input.number("target_rel")?;
    let a = stats::adaptive_stop(input.number("theta_per_cycle_se_rel")?, n, target, &rule)?;
    Ok(answer! { "stop": a.stop, "half_width": a.half_width, "reason": a.reason.code() })
}

fn verdict(input: Input<'_>) -> Result<Answer, CaseError> {
    let change = VerdictInput {
        pct: input.number("pct")?,
        pct_low: input.number("pct_lo")?,
        pct_high: input.number("pct_hi")?,
        p_adj: input.optional_number("p_adj")?,
        tost_p: input.optional_number("tost_p")?,
    };
    let v = stats::verdict(&change, input.number("threshold_pct")?, input.number_or("alpha", 0.05)?);
    Ok(answer! { "verdict": v.code() })
}

fn special(input: Input<'_>) -> Result<Answer, CaseError> {
    let name = input.text("name")?;
    let value = |args: &Vec<f64>| match (name, args.as_slice()) {
        ("t_ppf", &[p, df]) => Ok(stats::t_ppf(p, df)),
        ("t_sf", &[t, df]) => Ok(stats::t_sf(t, df)),
        ("norm_ppf", &[p]) => Ok(stats::norm_ppf(p)),
        ("norm_cdf", &[z]) => Ok(stats::norm_cdf(z)),
        ("norm_sf", &[z]) => Ok(stats::norm_sf(z)),
        _ => Err(CaseError::Malformed(format!("unknown special function {name:?} with {} arguments", args.len()))),
    };
    let values: Result<Vec<f64>, CaseError> = input.rows("args")?.iter().map(value).collect();
    Ok(answer! { "v": values? })
}
