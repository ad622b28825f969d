//! The plan of this repository's own benches: few cases and a short run.
#![cfg(feature = "models")]

#[path = "../benches/llm.rs"]
mod llm;

use std::time::Duration;

use lem_bench::__private::harness::probe_effort;
use lem_bench::__private::protocol::{Overrides, Profile, Schedule};
use lem_bench::__private::registry;
use lem_bench::meter::Origin;
use lem_bench::meter::{Estimate, Meter};
use lem_bench::summary::{ChannelProbe, MeterProbe};
use lem_bench::units::Watts;

#[test]
fn default_run_is_under_three_minutes() {
    let cases = registry::collect().unwrap();
    let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert!((3..=6).contains(&cases.len()), "{ids:?}");
    assert!(ids.contains(&"llm::prefill") && ids.contains(&"llm::decode"), "{ids:?}");

    let meter = Estimate::new(Watts(10.0)).unwrap();
    let domain = meter.domains()[0].id.clone();
    let channel = {
        let mut channel = ChannelProbe::new(domain.clone(), true);
        channel.update_period_s = Some(0.0);
        channel.read_cost_s = 1e-6;
        channel.updates = 100;
        channel
    };
    let probe = MeterProbe::new("estimate", Origin::Estimated, vec![channel]);
    let schedule = Schedule::plan(Profile::Default, &probe, &[domain], &Overrides::default());
    let planned = probe_effort(Profile::Default).min + schedule.expected() * cases.len() as u32;
    assert!(planned < Duration::from_secs(180), "{planned:?}");
}
