//! Schedules for typical meters and overrides.

use super::*;
use crate::model::ChannelProbe;
use crate::protocol::schedule::Pace;

fn probed(origin: Origin, counter: Option<f64>, gauge: Option<f64>, temperature: bool) -> MeterProbe {
    let channel = |counter: bool, period| ChannelProbe {
        domain: DomainId::new("gpu:0"),
        counter,
        update_period_s: Some(period),
        quantum: None,
        read_cost_s: 1e-5,
        updates: 20,
        averaging_s: Some(period),
        dense_reads: None,
        safe_interval_s: None,
    };
    let channels = counter.map(|p| channel(true, p)).into_iter().chain(gauge.map(|p| channel(false, p))).collect();
    MeterProbe { meter: "test".into(), origin, channels, temperature }
}

fn plan(profile: Profile, probe: &MeterProbe) -> Schedule {
    Schedule::plan(profile, probe, &[DomainId::new("gpu:0")], &Overrides::default())
}

#[test]
fn gpu_takes_three_minutes() {
    let probe = probed(Origin::Measured, Some(0.1), Some(0.1), true);
    let schedule = plan(Profile::Default, &probe);
    assert_eq!(schedule.window, ms(5000));
    let minutes = schedule.expected().as_secs_f64() / 60.0;
    assert!((2.5..3.5).contains(&minutes), "{minutes}");
}

#[test]
fn estimate_takes_fifteen_seconds() {
    let schedule = plan(Profile::Default, &probed(Origin::Estimated, Some(0.0), None, false));
    assert_eq!((schedule.idle_blocks, schedule.gap_idle), (0, Duration::ZERO));
    let seconds = schedule.expected().as_secs_f64();
    assert!((12.0..18.0).contains(&seconds), "{seconds}");
}

#[test]
fn slow_calls_lengthen_load() {
    let schedule = plan(Profile::Quick, &probed(Origin::Estimated, Some(0.0), None, false));
    let pace = |seconds, iterations| Pace { call: Duration::from_secs(seconds), iterations };
    assert_eq!(schedule.cycle_at(Pace::UNKNOWN), schedule.cycle());
    let gap = schedule.gap_rest + schedule.gap_idle + schedule.guard;
    let ramps = [schedule.ramp_in, schedule.ramp_out].iter().filter(|ramp| !ramp.is_zero()).count() as u64;
    // A window of a part of a second takes a whole call of 20 s, and so does each ramp.
    assert!(schedule.window < ms(1000));
    let needed = schedule.window_iterations;
    let call = Duration::from_secs(20);
    assert_eq!(schedule.cycle_at(pace(20, needed)), gap + call * (1 + ramps as u32));
    assert_eq!(schedule.cycle_at(pace(20, 1)), gap + call * (needed + ramps) as u32);
    // The cap of the warm-up is exceeded by less than a call.
    let longer = schedule.preparation_at(pace(20, 1)).saturating_sub(schedule.preparation());
    let (warm_up, most) = (schedule.warm_up.floor + longer, schedule.warm_up.cap.max(call) + call);
    assert!(warm_up >= call && warm_up < most, "{warm_up:?}, at most {most:?}");
    assert!(schedule.preparation_at(pace(0, 1)) == schedule.preparation());
}

#[test]
fn slow_sensors_lengthen_windows() {
    let slow = plan(Profile::Default, &probed(Origin::Measured, Some(1.0), None, true));
    assert_eq!(slow.window, Duration::from_secs(50));
    assert!(slow.ramp_out >= Duration::from_secs(2) && slow.gap_rest >= ms(1200));
    let gauge = plan(Profile::Default, &probed(Origin::Measured, None, Some(0.1), true));
    assert_eq!(gauge.window, Duration::from_secs(10));
    let rapl = plan(Profile::Default, &probed(Origin::Measured, Some(0.001), None, false));
    assert_eq!((rapl.window, rapl.idle_block), (ms(1000), ms(1000)));
}

#[test]
fn partial_coverage_lengthens_windows() {
    let mut probe = probed(Origin::Measured, Some(0.1), Some(0.1), true);
    let with = |probe: &mut MeterProbe, averaging| {
        probe.channels[0].averaging_s = averaging;
        plan(Profile::Default, probe)
    };
    assert_eq!(with(&mut probe, Some(0.025)).window, ms(10_000), "25 of every 100 ms");
    assert_eq!(with(&mut probe, None).window, ms(10_000), "unknown");
    assert_eq!(with(&mut probe, Some(0.1)).window, ms(5000), "the whole time");
    // A gauge that averages over the last two seconds still shows the load two seconds into a gap.
    let mut smeared = probed(Origin::Measured, None, Some(0.1), true);
    let smeared = with(&mut smeared, Some(2.0));
    assert!(smeared.window >= ms(20_000) && smeared.gap_rest >= ms(2400) && smeared.ramp_in >= ms(2400));
}

#[test]
fn imprecise_edges_lengthen_windows() {
    let mut probe = probed(Origin::Measured, Some(0.1), None, true);
    probe.channels[0].read_cost_s = 0.003;
    assert_eq!(plan(Profile::Default, &probe).window, ms(5000), "an expensive counter, read four times per tick");
    probe.channels[0].safe_interval_s = Some(0.2);
    assert_eq!(plan(Profile::Default, &probe).window, ms(21_000), "only one read per tick is safe");
}

#[test]
fn ramp_in_without_temperature() {
    let schedule = plan(Profile::Default, &probed(Origin::Measured, Some(0.1), None, false));
    assert_eq!(schedule.ramp_in, (schedule.gap_rest + schedule.gap_idle + schedule.guard) * 2);
}

#[test]
fn overrides_replace_profile() {
    let probe = probed(Origin::Measured, Some(0.1), None, true);
    let overrides = Overrides {
        cycles: Some(4),
        gap: Some(ms(1000)),
        min_window: Some(ms(300)),
        warm_up: Some(ms(1200)),
        idle: Some(ms(2500)),
        ..Overrides::default()
    };
    let schedule = Schedule::plan(Profile::Default, &probe, &[DomainId::new("gpu:0")], &overrides);
    assert_eq!((schedule.cycles, schedule.window, schedule.idle_block), (4, ms(300), ms(500)));
    assert_eq!(schedule.gap_rest + schedule.gap_idle, ms(1000));
    assert_eq!((schedule.warm_up.floor, schedule.warm_up.probe), (ms(1200), ms(20)));
}
