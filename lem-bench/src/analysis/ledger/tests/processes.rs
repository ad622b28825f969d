//! Findings about a run of several processes, and about damaged journals.

use std::time::Duration;

use super::cases::Case;
use super::device::used_after;
use super::evidence::{Journal, Run};
use crate::analysis::finding::{Check, Severity};
use crate::model::{DomainId, SensorEventKind};

/// Moves the windows of the second process.
fn second_comes_late(run: &mut Run, by: Duration) {
    run.add_process();
    for window in run.journals[1].cycles.iter_mut().flat_map(|cycle| &mut cycle.windows) {
        (window.start, window.stop) = (window.start + by, window.stop + by);
    }
}

/// A fact that the second process tells otherwise.
fn second_says(run: &mut Run, name: &str, first: &str, second: &str) {
    run.add_process();
    run.journals[0].fact(name, first);
    run.journals[1].fact(&name.replace("gpu:0", "gpu:1"), second);
}

/// What happens to the card that is the second process' own.
fn second_sees(run: &mut Run, what: fn(&mut Journal)) {
    run.add_process();
    let second = &mut run.journals[1];
    what(second);
    let gpu = second.head.headline[0].clone();
    second.head.evidence.users.iter_mut().flatten().for_each(|user| user.domain = gpu.clone());
    for cycle in &mut second.cycles {
        cycle.events.iter_mut().for_each(|event| event.domain = gpu.clone());
        cycle.evidence.users.iter_mut().flatten().for_each(|user| user.domain = gpu.clone());
    }
}

/// Two journals of a run in shards, each with a bench of its own.
fn shards(run: &mut Run, which: [(u32, u32); 2]) {
    run.journals.push(run.journals[0].clone());
    for (journal, shard) in run.journals.iter_mut().zip(which) {
        journal.head.shard = Some(shard);
        journal.rename(&format!("decode/batch={}", shard.0));
    }
}

pub(super) const CASES: [Case; 15] = [
    Case {
        check: Check::CounterReset,
        weight: Severity::Invalid,
        says: "was reset or ran backwards 1 times on gpu:1, 1 of them in windows",
        provoked: |run| second_sees(run, |second| second.event(3, SensorEventKind::CounterReset, 5.0)),
        spared: |run| second_sees(run, |second| second.event(3, SensorEventKind::CounterReset, -4.0)),
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "gpu:1: process 4242 with 3072 MiB used it all the time",
        provoked: |run| second_sees(run, |second| used_after(second, 4242, 0..10)),
        spared: Run::add_process,
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Warning,
        says: "gpu:1: its power limit is 300 W, below its default of 700 W",
        provoked: |run| {
            second_sees(run, |second| {
                let limits = &mut second.head.evidence.limits[0];
                limits.domain = DomainId::new("gpu:1");
                (limits.enforced_w, limits.default_w) = (Some(300.0), Some(700.0));
            });
        },
        spared: Run::add_process,
    },
    Case {
        check: Check::ProcessMissing,
        weight: Severity::Invalid,
        says: "rank 1 of 2 processes never came",
        provoked: |run| run.one().head.world = 2,
        spared: Run::add_process,
    },
    Case {
        check: Check::ProcessDuplicate,
        weight: Severity::Warning,
        says: "rank 0 came more than once",
        provoked: |run| run.journals.push(run.journals[0].clone()),
        spared: Run::add_process,
    },
    Case {
        check: Check::ProcessUnfinished,
        weight: Severity::Warning,
        says: "rank 1 never finished the bench",
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
        provoked: |run| second_comes_late(run, Duration::from_secs(11)),
        spared: |run| second_comes_late(run, Duration::from_secs(1)),
    },
    Case {
        check: Check::CyclesMissing,
        weight: Severity::Warning,
        says: "cycle 3 is missing, and later ones are there",
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
        says: "shard 2 of 3 never came",
        provoked: |run| shards(run, [(1, 3), (3, 3)]),
        spared: |run| shards(run, [(1, 2), (2, 2)]),
    },
    Case {
        check: Check::MixedSchema,
        weight: Severity::Warning,
        says: "have schemas 1, 2",
        provoked: |run| {
            run.add_process();
            run.journals[1].head.schema_version = 1;
        },
        spared: Run::add_process,
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "kernel (6.1 / 6.2)",
        provoked: |run| second_says(run, "kernel", "6.1", "6.2"),
        spared: |run| second_says(run, "load average", "0.10", "0.20"),
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "driver (575.2 / 580.1)",
        provoked: |run| second_says(run, "driver", "580.1", "575.2"),
        spared: |run| second_says(run, "gpu:0 uuid", "GPU-1", "GPU-2"),
    },
    Case {
        check: Check::MixedEnvironment,
        weight: Severity::Warning,
        says: "gpu power limit W (500 / 700)",
        provoked: |run| second_says(run, "gpu:0 power limit W", "700", "500"),
        // One card's limit beside another's default is no difference between two processes.
        spared: |run| {
            second_says(run, "gpu:0 power limit W", "500", "500");
            run.journals[0].fact("gpu:0 default power limit W", "700");
            run.journals[1].fact("gpu:1 default power limit W", "700");
        },
    },
    Case {
        check: Check::JournalDamaged,
        weight: Severity::Warning,
        says: "the journal of rank 0 is damaged: line 7 ends early (and 1 more)",
        provoked: |run| run.damage = ["line 7 ends early".to_owned(), "line 9 is no record".to_owned()].into(),
        spared: |_| {},
    },
];
