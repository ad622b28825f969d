//! Ranks on a machine with GPUs: each rank has its own GPU, and each joule is counted once.

use lem_bench::__private::model::{CycleRecord, Record, RunHeader};
use nvml_double::{Device, Mig};
use serde_json::Value;

use crate::double::{Machine, card};
use crate::run::{exits_with, finding, folder, summary};

/// Returns the run header and the cycles of each rank, sorted by rank.
fn journals(machine: &Machine) -> Vec<(RunHeader, Vec<CycleRecord>)> {
    let journals = lem_bench::__private::store::read_run(&folder(machine.home.path())).unwrap();
    let mut all: Vec<_> = journals
        .into_iter()
        .map(|journal| {
            let (mut heads, mut cycles) = (Vec::new(), Vec::new());
            for record in journal.records {
                match record {
                    Record::Run(head) => heads.push(*head),
                    Record::Cycle(cycle) => cycles.push(*cycle),
                    _ => {}
                }
            }
            (heads.remove(0), cycles)
        })
        .collect();
    all.sort_by_key(|(head, _)| head.rank);
    all
}

/// Returns the value of `CUDA_VISIBLE_DEVICES` of a rank.
fn visible(head: &RunHeader) -> &str {
    let fact = head.environment.iter().find(|fact| fact.name == "CUDA_VISIBLE_DEVICES");
    fact.map_or("", |fact| fact.value.as_str())
}

fn watts(summary: &Value) -> f64 {
    summary["benches"][0]["metrics"]["mean_power_w"]["value"].as_f64().unwrap()
}

/// Compares the joined cycles with the journals of the ranks: domains per rank, one common window, and a total that
/// counts each joule once.
#[track_caller]
fn check_joined(machine: &Machine, domains: &[&[&str]]) {
    let (summary, journals) = (summary(machine.home.path()), journals(machine));
    assert_eq!(summary["run"]["processes"], domains.len());
    let joined = summary["benches"][0]["cycles"].as_array().unwrap();
    assert_eq!(joined.len(), 2);
    for (n, cycle) in joined.iter().enumerate() {
        let windows: Vec<_> = journals.iter().map(|(_, cycles)| &cycles[n].windows[0]).collect();
        let mut joules = 0.0;
        for (window, of) in windows.iter().zip(domains) {
            let read: Vec<&str> = window.energy.iter().map(|energy| energy.domain.as_str()).collect();
            assert_eq!(read, *of);
            assert_eq!((window.start, window.stop), (windows[0].start, windows[0].stop), "windows differ");
            joules += window.energy.iter().map(|energy| energy.joules.get()).sum::<f64>();
        }
        let total = cycle["energy_j"].as_f64().unwrap();
        assert!((total / joules - 1.0).abs() < 1e-9, "total {total} J instead of {joules} J");
    }
    for bad in ["process_missing", "windows_apart", "mixed_environment", "energy_missing"] {
        assert!(!summary.to_string().contains(bad), "{bad}");
    }
}

const WINDOW: [&str; 2] = ["rest/1", "--min-window=4s"];

#[test]
fn ranks_add_up_to_one_process() {
    let cards = || vec![card(0), card(7)];
    let machine = Machine::new(|_| cards());
    exits_with(machine.start(&[&WINDOW[..], &["--processes=2"]].concat(), &[]), 0);
    let journals = journals(&machine);
    for ((head, _), card) in journals.iter().zip(cards()) {
        assert_eq!(visible(head), card.uuid, "rank {}", head.rank);
    }
    check_joined(&machine, &[&["gpu:0"], &["gpu:1"]]);
    assert_eq!(machine.check_energies(), 2 * 2);
    let alone = Machine::new(|_| cards());
    exits_with(alone.start(&WINDOW, &[]), 0);
    assert_eq!(alone.check_energies(), 2 * 2);
    let (ranks, one) = (watts(&summary(machine.home.path())), watts(&summary(alone.home.path())));
    for watts in [ranks, one] {
        assert!((watts - 340.0).abs() < 10.0, "{ranks} W with ranks, {one} W with one process, instead of 340 W");
    }
}

#[test]
fn three_ranks_share_two_gpus() {
    let machine = Machine::new(|_| vec![card(0), card(7)]);
    exits_with(machine.start(&["rest/1", "--min-window=1200ms", "--processes=3"], &[]), 0);
    let [one, other] = [card(0).uuid, card(7).uuid];
    let journals = journals(&machine);
    assert_eq!(journals.iter().map(|(head, _)| visible(head)).collect::<Vec<_>>(), [&one, &other, &one]);
    check_joined(&machine, &[&["gpu:0"], &["gpu:1"], &[]]);
    assert_eq!(machine.check_energies(), 2 * 2);
}

#[test]
fn ranks_share_visible_gpus() {
    let machine = Machine::new(|_| (0..3).map(card).collect());
    let args = ["rest/1", "--min-window=1200ms", "--processes=2"];
    exits_with(machine.start(&args, &[("CUDA_VISIBLE_DEVICES", "2,GPU-1")]), 0);
    let journals = journals(&machine);
    assert_eq!(journals.iter().map(|(head, _)| visible(head)).collect::<Vec<_>>(), [card(1).uuid, card(2).uuid]);
    check_joined(&machine, &[&["gpu:1"], &["gpu:2"]]);
    assert_eq!(machine.check_energies(), 2 * 2);
}

#[test]
fn named_domains_apply_to_all_ranks() {
    let machine = Machine::new(|_| vec![card(0), card(7)]);
    let board = machine.home.path().join("board.toml");
    let text = "reference = \"a wattmeter\"\ndate = \"2026-11-02\"\n";
    let device = |id: u32| format!("[[device]]\ndomain = \"gpu:{id}\"\ngain = 1.0\noffset_w = 0.0\n");
    std::fs::write(&board, format!("{text}{}{}", device(0), device(1))).unwrap();
    let board = format!("--calibration={}", board.display());
    let args = ["rest/1", "--min-window=1200ms", "--processes=2", "--domain=gpu:0", "--domain=gpu:1", &board];
    exits_with(machine.start(&args, &[]), 0);
    check_joined(&machine, &[&["gpu:0"], &["gpu:1"]]);
    // An unknown domain is rejected before any process starts.
    exits_with(machine.start(&["rest/1", "--processes=2", "--domain=gpu:2"], &[]), 2);
}

#[test]
fn ranks_stay_in_mig_instance() {
    let mig = Mig { enabled: true, uuids: vec!["MIG-aaaa-1".to_owned(), "MIG-bbbb-2".to_owned()] };
    let machine = Machine::new(|_| vec![card(0), Device { mig: Some(mig), ..card(1) }]);
    let args = ["rest/1", "--min-window=1200ms", "--processes=2"];
    exits_with(machine.start(&args, &[("CUDA_VISIBLE_DEVICES", "MIG-bbbb")]), 0);
    for (head, _) in journals(&machine) {
        assert_eq!(visible(&head), "MIG-bbbb-2", "rank {}", head.rank);
    }
    check_joined(&machine, &[&["gpu:1"], &[]]);
    let summary = summary(machine.home.path());
    let mig = finding(&summary["benches"][0], "mig").unwrap();
    assert_eq!(mig["evidence"], "gpu:1: its energy covers the whole GPU; this process uses MIG-bbbb-2");
}
