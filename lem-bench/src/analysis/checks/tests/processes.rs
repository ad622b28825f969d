//! Cases of the checks of completion, of runs of several processes, and of damaged journals.

use std::time::Duration;

use super::fixture::{Case, Journal, Run};
use crate::analysis::finding::{Check, Severity};
use crate::model::{
    ArrivalCounts, CustomKind, CustomMetric, DomainId, Outcome, PhaseSpan, Precision, RequestLog, SensorEventKind,
    Span, SpanKind, StopReason, WorkCounts,
};
use crate::units::Stamp;

/// Delays the windows of a second process.
fn delay_second(run: &mut Run, by: Duration) {
    run.add_process();
    for window in run.journals[1].cycles.iter_mut().flat_map(|cycle| &mut cycle.windows) {
        (window.start, window.stop) = (window.start + by, window.stop + by);
    }
}

/// Gives both processes a fact, with different values.
fn set_fact(run: &mut Run, name: &str, first: &str, second: &str) {
    run.add_process();
    run.journals[0].fact(name, first);
    run.journals[1].fact(&name.replace("gpu:0", "gpu:1"), second);
}

/// Changes the journal of a second process, which has a GPU of its own.
fn change_second(run: &mut Run, change: fn(&mut Journal)) {
    run.add_process();
    let second = &mut run.journals[1];
    change(second);
    let gpu = second.header.headline[0].clone();
    second.header.evidence.users.iter_mut().flatten().for_each(|user| user.domain = gpu.clone());
    for cycle in &mut second.cycles {
        cycle.events.iter_mut().for_each(|event| event.domain = gpu.clone());
        cycle.evidence.users.iter_mut().flatten().for_each(|user| user.domain = gpu.clone());
    }
}

/// Makes two shards, each with a bench of its own.
fn shards(run: &mut Run, which: [(u32, u32); 2]) {
    run.journals.push(run.journals[0].clone());
    for (journal, shard) in run.journals.iter_mut().zip(which) {
        journal.header.shard = Some(shard);
        journal.rename(&format!("decode/batch={}", shard.0));
    }
}

/// Gives a cycle more samples than fit, and keeps one of so many.
fn thinned(run: &mut Run, every: u64) {
    let phase = |n: u64| PhaseSpan { name: "decode".to_owned(), start: Stamp(10 * n), stop: Stamp(10 * n + 5) };
    let requests = RequestLog {
        latency_ns: vec![1_000_000; 100_000],
        phases: (0..50_000).map(phase).collect(),
        ..RequestLog::default()
    };
    run.one().cycles[0].requests = requests.thin(every, 7).thin_phases(every, 7);
}

pub(super) const PROCESS_CASES: [Case; 16] = [
    Case {
        check: Check::CounterReset,
        weight: Severity::Invalid,
        says: "was reset or ran backwards 1 time on gpu:1, 1 of them in windows",
        provoked: |run| change_second(run, |second| second.event(3, SensorEventKind::CounterReset, 5.0)),
        spared: |run| change_second(run, |second| second.event(3, SensorEventKind::CounterReset, -4.0)),
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "gpu:1: process 4242 with 3072 MiB used it all the time",
        provoked: |run| change_second(run, |second| second.add_user(4242, 0..10)),
        spared: Run::add_process,
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Warning,
        says: "gpu:1: the power limit is 300 W, below the default of 700 W",
        provoked: |run| {
            change_second(run, |second| {
                let limits = &mut second.header.evidence.limits[0];
                limits.domain = DomainId::new("gpu:1");
                (limits.enforced_w, limits.default_w) = (Some(300.0), Some(700.0));
            });
        },
        spared: Run::add_process,
    },
    Case {
        check: Check::ProcessMissing,
        weight: Severity::Invalid,
        says: "rank 1 of 2 processes is missing",
        provoked: |run| run.one().header.world = 2,
        spared: Run::add_process,
    },
    Case {
        check: Check::ProcessDuplicate,
        weight: Severity::Warning,
        says: "rank 0 has several journals",
        provoked: |run| run.journals.push(run.journals[0].clone()),
        spared: Run::add_process,
    },
    Case {
        check: Check::ProcessUnfinished,
        weight: Severity::Warning,
        says: "rank 1 did not finish the bench",
        provoked: |run| {
            run.add_process();
            run.journals[1].end = None;
        },
        spared: Run::add_process,
    },
    Case {
        check: Check::WindowsApart,
        weight: Severity::Invalid,
        says: "in 10 cycles the windows of the processes do not overlap",
        provoked: |run| delay_second(run, Duration::from_secs(11)),
        spared: |run| delay_second(run, Duration::from_secs(1)),
    },
    Case {
        check: Check::CyclesMissing,
        weight: Severity::Warning,
        says: "cycle 4 is missing, but later ones are present",
        provoked: |run| drop(run.one().cycles.remove(3)),
        spared: |run| drop(run.one().cycles.pop()),
    },
    Case {
        check: Check::Completeness,
        weight: Severity::Warning,
        says: "different numbers of cycles (10, 7)",
        provoked: |run| {
            run.add_process();
            run.journals[1].cycles.truncate(7);
        },
        spared: Run::add_process,
    },
    Case {
        check: Check::ShardMissing,
        weight: Severity::Warning,
        says: "shard 2 of 3 is missing",
        provoked: |run| shards(run, [(1, 3), (3, 3)]),
        spared: |run| shards(run, [(1, 2), (2, 2)]),
    },
    Case {
        check: Check::MixedSchema,
        weight: Severity::Warning,
        says: "have schema versions 1, 3",
        provoked: |run| {
            run.add_process();
            run.journals[1].header.schema_version = 1;
        },
        spared: Run::add_process,
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "kernel (6.1 / 6.2)",
        provoked: |run| set_fact(run, "kernel", "6.1", "6.2"),
        spared: |run| set_fact(run, "load average", "0.10", "0.20"),
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "driver (575.2 / 580.1)",
        provoked: |run| set_fact(run, "driver", "580.1", "575.2"),
        spared: |run| set_fact(run, "gpu:0 uuid", "GPU-1", "GPU-2"),
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "gpu power limit W (500 / 700)",
        provoked: |run| set_fact(run, "gpu:0 power limit W", "700", "500"),
        // A power limit is not compared with a default power limit.
        spared: |run| {
            set_fact(run, "gpu:0 power limit W", "500", "500");
            run.journals[0].fact("gpu:0 default power limit W", "700");
            run.journals[1].fact("gpu:1 default power limit W", "700");
        },
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "gpu name (RTX 3090 / RTX 4090)",
        provoked: |run| set_fact(run, "gpu:0 name", "RTX 4090", "RTX 3090"),
        // Each process has both cards.
        spared: |run| {
            set_fact(run, "gpu:0 name", "RTX 4090", "RTX 3090");
            run.journals[0].fact("gpu:1 name", "RTX 3090");
            run.journals[1].fact("gpu:0 name", "RTX 4090");
        },
    },
    Case {
        check: Check::JournalDamaged,
        weight: Severity::Warning,
        says: "the journal of rank 0 is damaged: line 7 ends early (and 1 more)",
        provoked: |run| run.damage = ["line 7 ends early".to_owned(), "line 9 is not a record".to_owned()].into(),
        spared: |_| {},
    },
];

fn ended(run: &mut Run, outcome: Outcome) {
    run.one().end.as_mut().unwrap().outcome = outcome;
}

/// Records values of a custom metric in the first cycle.
fn custom_metric(run: &mut Run, values: &[f64]) {
    let mut metric = CustomMetric::new("hit_rate", "", CustomKind::Request);
    for value in values {
        metric.add(*value);
    }
    run.one().cycles[0].custom_metrics = vec![metric];
}

fn failed(run: &mut Run, requests: u64) {
    run.one().cycles[2].windows[0].work.failed = requests;
}

fn precision(run: &mut Run, ended: StopReason) {
    let precision = Precision { target: 0.01, half_width: Some(0.013), cycles: 10, ended };
    run.one().end.as_mut().unwrap().precision = Some(precision);
}

/// Plans and runs this many cycles.
fn with_cycles(run: &mut Run, n: usize) {
    run.one().cycles.truncate(n);
    run.one().bench.schedule.insert("cycles".to_owned(), n as f64);
}

/// Runs this many iterations in each cycle of ten seconds.
fn iterations(run: &mut Run, iterations: u64) {
    run.one().work(|_| WorkCounts { requests: iterations, iterations, ..WorkCounts::default() });
}

/// Lets this many requests arrive, end and be dropped in each window.
fn arrivals(run: &mut Run, arrived: u64, ended: u64, dropped: u64) {
    run.one().change_work(|work| work.arrivals = Some(ArrivalCounts { arrived, ended, dropped }));
}

/// Runs this many iterations in each cycle, whose load of ten seconds is its window, with this much CPU time.
fn with_cpu_seconds(run: &mut Run, seconds: f64, n: u64) {
    iterations(run, n);
    for cycle in &mut run.one().cycles {
        let window = &cycle.windows[0];
        cycle.spans = vec![Span::new(SpanKind::Window, window.start, window.stop)];
        cycle.process_cpu_s = Some(seconds);
    }
}

pub(super) const COMPLETION_CASES: [Case; 19] = [
    Case {
        check: Check::BenchFailed,
        weight: Severity::Invalid,
        says: "no model",
        provoked: |run| ended(run, Outcome::Failed { message: "no model".to_owned() }),
        spared: |_| {},
    },
    Case {
        check: Check::BenchFailed,
        weight: Severity::Invalid,
        says: "its body panicked: index",
        provoked: |run| ended(run, Outcome::Panicked { message: "index out of bounds".to_owned() }),
        spared: |_| {},
    },
    Case {
        check: Check::DeviceLost,
        weight: Severity::Invalid,
        says: "the meter cannot read it any more: off the bus",
        provoked: |run| ended(run, Outcome::DeviceLost { message: "off the bus".to_owned() }),
        spared: |_| {},
    },
    Case {
        check: Check::Interrupted,
        weight: Severity::Warning,
        says: "its journal ends after 10 cycles",
        provoked: |run| run.one().end = None,
        spared: |_| {},
    },
    Case {
        check: Check::Resumed,
        weight: Severity::Note,
        says: "after 1 interruption: its cycles are not from one session",
        provoked: |run| run.one().resumed = true,
        spared: |_| {},
    },
    Case {
        check: Check::EnergyMissing,
        weight: Severity::Invalid,
        says: "cycle 5 has no reading of gpu:0 around the edges of the windows",
        provoked: |run| run.one().cycles[4].windows[0].energy.clear(),
        spared: |_| {},
    },
    Case {
        check: Check::EnergyMissing,
        weight: Severity::Invalid,
        says: "cycles 4, 6 have no power reading of gpu:0 in a window of 20 ms",
        provoked: |run| {
            run.one().header.probe.channels.retain(|channel| !channel.counter);
            for cycle in [3, 5] {
                let window = &mut run.one().cycles[cycle].windows[0];
                window.stop = window.start + Duration::from_millis(20);
                window.energy.clear();
            }
        },
        spared: |_| {},
    },
    Case {
        check: Check::Completeness,
        weight: Severity::Warning,
        says: "only 9 of 10 cycles are present although the bench completed",
        provoked: |run| run.one().cycles.truncate(9),
        spared: |run| with_cycles(run, 9),
    },
    Case {
        check: Check::FewCycles,
        weight: Severity::Warning,
        says: "one cycle has no interval",
        provoked: |run| with_cycles(run, 1),
        spared: |run| with_cycles(run, 5),
    },
    Case {
        check: Check::FewCycles,
        weight: Severity::Note,
        says: "5 cycles: intervals are only indicative",
        provoked: |run| with_cycles(run, 5),
        spared: |run| with_cycles(run, 8),
    },
    Case {
        check: Check::SamplesThinned,
        weight: Severity::Note,
        says: "12,500 of 100,000 request times and 6250 of 50,000 phases are kept",
        provoked: |run| thinned(run, 8),
        spared: |run| thinned(run, 1),
    },
    Case {
        check: Check::FailedRequests,
        weight: Severity::Invalid,
        says: "4 of 204 requests failed",
        provoked: |run| failed(run, 4),
        spared: |run| failed(run, 1),
    },
    Case {
        check: Check::CustomMetric,
        weight: Severity::Warning,
        says: "2 of 5 values of the metric `hit_rate` are not finite",
        provoked: |run| custom_metric(run, &[0.5, f64::NAN, 0.25, f64::INFINITY, 1.0]),
        spared: |run| custom_metric(run, &[0.5, 0.25]),
    },
    Case {
        check: Check::NothingMeasured,
        weight: Severity::Invalid,
        says: "an iteration takes 11.988 ns; one of a closure that does nothing takes 8.000 ns",
        provoked: |run| iterations(run, 834_167_501),
        spared: |run| iterations(run, 833_333_000),
    },
    Case {
        check: Check::NothingMeasured,
        weight: Severity::Invalid,
        says: "an iteration takes 11.988 ns",
        // Another process has taken half of the time.
        provoked: |run| with_cpu_seconds(run, 5.0, 834_167_501 / 2),
        spared: |run| with_cpu_seconds(run, 5.0, 833_333_000 / 2),
    },
    Case {
        check: Check::Overloaded,
        weight: Severity::Warning,
        says: "requests arrived faster than they were served: 4.000 requests/s arrived and 2.500 requests/s ended",
        provoked: |run| arrivals(run, 40, 25, 0),
        spared: |run| arrivals(run, 40, 39, 0),
    },
    Case {
        check: Check::Overloaded,
        weight: Severity::Note,
        says: "20 requests had not started when the load ended and were dropped; 400 arrived",
        provoked: |run| arrivals(run, 40, 38, 2),
        spared: |run| arrivals(run, 40, 38, 0),
    },
    Case {
        check: Check::InputsInWindow,
        weight: Severity::Warning,
        says: "inputs were made for 6 % of the time",
        provoked: |run| run.one().change_work(|work| work.prepared_s = 0.6),
        spared: |run| run.one().change_work(|work| work.prepared_s = 0.4),
    },
    Case {
        check: Check::Precision,
        weight: Severity::Warning,
        says: "the maximum, reached ±1.30 % instead of the target of ±1.00 %",
        provoked: |run| precision(run, StopReason::MostCycles),
        spared: |run| precision(run, StopReason::Precision),
    },
];
