//! The plan of this repository's own benches: few cases and a short run.
#![cfg(feature = "models")]

#[path = "../benches/llm.rs"]
mod llm;

use std::time::Duration;

use lem_bench::harness::probe_effort;
use lem_bench::meter::{Estimate, Meter};
use lem_bench::model::{ChannelProbe, MeterProbe, Origin};
use lem_bench::protocol::{Overrides, Profile, Schedule};
use lem_bench::registry;
use lem_bench::units::Watts;

#[test]
fn default_run_is_under_three_minutes() {
    let cases = registry::collect().unwrap();
    let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert!((3..=6).contains(&cases.len()), "{ids:?}");
    assert!(ids.contains(&"prefill") && ids.contains(&"decode"), "{ids:?}");

    let meter = Estimate::new(Watts(10.0)).unwrap();
    let domain = meter.domains()[0].id.clone();
    let channel = ChannelProbe {
        domain: domain.clone(),
        counter: true,
        update_period_s: Some(0.0),
        quantum: None,
        read_cost_s: 1e-6,
        updates: 100,
        averaging_s: None,
        dense_reads: None,
        safe_interval_s: None,
    };
    let probe =
        MeterProbe { meter: "estimate".into(), origin: Origin::Estimated, channels: vec![channel], temperature: false };
    let schedule = Schedule::plan(Profile::Default, &probe, &[domain], &Overrides::default());
    let planned = probe_effort(Profile::Default).min + schedule.expected() * cases.len() as u32;
    assert!(planned < Duration::from_secs(180), "{planned:?}");
}
