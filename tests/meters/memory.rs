//! Memory of a GPU that fills up: how many benches stay set up at once, and what is said of it.

use std::fs::File;

use lem_bench::model::Record;
use nvml_double::Device;

use crate::double::{Machine, card};
use crate::run::{Ran, ends, folder, summary, wait_for_cycles};

const GIB: u64 = 1 << 30;

/// A card whose memory is as full as benches, and others, have made these files long.
fn machine() -> Machine {
    Machine::of(|home| {
        let memory_used_files = vec![home.join("held"), home.join("others")];
        vec![Device { memory_used_files, memory_total_bytes: 80 * GIB, ..card(0) }]
    })
}

/// Starts benches that take turns and hold as many GiB each.
fn start(machine: &Machine, gib: &str, cycles: u32) -> std::process::Child {
    let holds = format!("{} {gib}", machine.home.path().join("held").display());
    let count = format!("--cycles={cycles}");
    let args = ["--order=interleaved", "--keep-free=5%", "--min-window=1200ms", &count];
    machine.start(&args, &[("FIXTURE_HAS", "holds"), ("FIXTURE_HOLDS", &holds)])
}

/// Waits for the end of a run whose benches all came to this many cycles, and gave back what they held.
#[track_caller]
fn done(machine: &Machine, child: std::process::Child, count: usize) -> Ran {
    let ran = ends(child, 0);
    for bench in summary(machine.home.path())["benches"].as_array().unwrap() {
        assert_eq!(bench["ended"]["outcome"], "completed", "{}", ran.err);
        assert_eq!(bench["cycles"].as_array().unwrap().len(), count, "{}", ran.err);
    }
    assert_eq!(std::fs::metadata(machine.home.path().join("held")).unwrap().len(), 0);
    ran
}

/// How often each bench was warmed up, which is once for each time that it was set up.
fn warm_ups(machine: &Machine, bench: &str) -> usize {
    let journals = lem_bench::store::read_run(&folder(machine.home.path())).unwrap();
    let records = journals.into_iter().flat_map(|journal| journal.records);
    records.filter(|record| matches!(record, Record::WarmUp(warm_up) if warm_up.bench == bench)).count()
}

#[test]
fn benches_that_do_not_fit_beside_the_others_are_set_up_for_each_cycle_and_that_is_said() {
    let machine = machine();
    // A second one that stayed would leave no room for the third.
    let ran = done(&machine, start(&machine, "30 30 30", 2), 2);
    let note = "1 of 3 benches stay set up at once: one more, and one that comes and goes beside it, may take 60.0 GiB of \
                gpu:0 memory, 50.0 GiB are free, and --keep-free leaves 5 %; the others are set up again for each of their \
                cycles";
    assert!(ran.err.contains(note), "{}", ran.err);
    let each = ["holds/1", "holds/2", "holds/3"].map(|bench| warm_ups(&machine, bench));
    assert_eq!(each, [1, 2, 2]);
}

#[test]
fn a_bench_less_stays_set_up_once_another_program_has_taken_the_memory() {
    let machine = machine();
    let child = start(&machine, "30 30", 3);
    wait_for_cycles(machine.home.path(), 1);
    File::create(machine.home.path().join("others")).unwrap().set_len(17 * GIB).unwrap();
    let ran = done(&machine, child, 3);
    let note = "a bench less stays set up: 3.0 GiB of gpu:0 memory are free, and --keep-free leaves 5 %; it is set up again \
                for each of its cycles";
    assert_eq!(ran.err.matches(note).count(), 1, "{}", ran.err);
}
