//! The records of a run without findings: ten cycles of ten seconds at 300 W on one GPU. Cases change them.

use crate::analysis::finding::{Check, Finding, Severity};
use crate::analysis::{Options, ReadJournal, Summary, summarise_read};
use crate::model::{
    BenchEnd, BenchRecord, ChannelProbe, CpuEvidence, CycleEvidence, CycleRecord, DeviceLimits, DeviceProcess, Domain,
    DomainEnergy, DomainId, DomainKind, Fact, GaugeEvidence, IdleBlock, IdleKind, IdleRecord, MeterProbe, Method,
    MinMeanMax, Origin, Outcome, Record, RequestLog, RunEvidence, RunHeader, SCHEMA_VERSION, SensorEvent,
    SensorEventKind, WarmUpCode, WarmUpRecord, WindowRecord, WorkCounts,
};
use crate::units::{Joules, Stamp, Watts};

/// The scatter of the cycles' energy in percent, without a trend and without outliers.
const SCATTER: [f64; 10] = [0.2, -0.3, 0.1, -0.1, 0.3, -0.2, -0.1, 0.2, 0.0, -0.1];

/// The id of the process that measured.
const PID: u32 = 1000;

/// Returns a stamp of the run.
pub(super) fn at(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9) as u64)
}

/// The journals of a run.
pub(super) struct Run {
    pub journals: Vec<Journal>,
    pub damage: Vec<String>,
}

/// The journal of one process.
#[derive(Clone)]
pub(super) struct Journal {
    pub header: RunHeader,
    pub bare: IdleRecord,
    pub bench: BenchRecord,
    loaded: IdleRecord,
    pub warm_up: WarmUpRecord,
    pub cycles: Vec<CycleRecord>,
    pub resumed: bool,
    pub end: Option<BenchEnd>,
}

impl Run {
    pub fn clean() -> Self {
        Self { journals: vec![Journal::clean()], damage: Vec::new() }
    }

    /// Adds a second process of the same run, with a GPU of its own.
    pub fn add_process(&mut self) {
        let gpu = DomainId::new("gpu:1");
        let mut second = Journal::clean();
        self.one().header.world = 2;
        (second.header.world, second.header.rank, second.header.evidence.pid) = (2, 1, PID + 1);
        second.header.domains[0].id = gpu.clone();
        second.header.headline = vec![gpu.clone()];
        second.header.probe.channels.iter_mut().for_each(|channel| channel.domain = gpu.clone());
        for block in second.bare.blocks.iter_mut().chain(&mut second.loaded.blocks) {
            block.power[0].0 = gpu.clone();
        }
        for cycle in &mut second.cycles {
            cycle.idle.iter_mut().for_each(|idle| idle.power[0].0 = gpu.clone());
            cycle.windows[0].energy[0].domain = gpu.clone();
        }
        self.journals.push(second);
    }

    /// Returns the journal of the first process.
    pub fn one(&mut self) -> &mut Journal {
        &mut self.journals[0]
    }

    pub fn summary(&self) -> Summary {
        let records: Vec<Vec<Record>> = self.journals.iter().map(Journal::records).collect();
        let read = |records| ReadJournal { records, damage: &self.damage };
        let journals: Vec<ReadJournal<'_>> = records.iter().map(|records| read(records.as_slice())).collect();
        let options = Options { resamples: 100, threads: Some(1), ..Options::default() };
        summarise_read(&journals, &(), &options).unwrap().summary
    }

    /// Returns all findings, of the run and of its bench.
    pub fn findings(&self) -> Vec<Finding> {
        let mut summary = self.summary();
        let mut findings = std::mem::take(&mut summary.findings);
        findings.extend(summary.benches.remove(0).findings);
        findings
    }
}

impl Journal {
    fn clean() -> Self {
        let bench = "decode".to_owned();
        let idle = |kind, bench, watts: f64| IdleRecord {
            kind,
            bench,
            blocks: (0..5).map(|n| block(n as f64 * 3.0, watts + 0.1 * f64::from(n % 2))).collect(),
        };
        Self {
            header: header(),
            bare: idle(IdleKind::Bare, None, 70.0),
            bench: BenchRecord {
                id: bench.clone(),
                name: bench.clone(),
                group: None,
                module: "llm".to_owned(),
                description: None,
                place: String::new(),
                params: Vec::new(),
                tags: Vec::new(),
                schedule: [("cycles".to_owned(), 10.0)].into(),
            },
            loaded: idle(IdleKind::Loaded, Some(bench.clone()), 100.0),
            warm_up: WarmUpRecord {
                bench: bench.clone(),
                start: at(0.0),
                stop: at(30.0),
                code: WarmUpCode::Proven,
                bound: Some(0.002),
                temperature_steady: Some(true),
                probes_s: vec![0.5; 60],
                traces: Vec::new(),
            },
            cycles: (0..10).map(cycle).collect(),
            resumed: false,
            end: Some(BenchEnd {
                bench,
                outcome: Outcome::Completed,
                last_failure: None,
                precision: None,
                at: at(1000.0),
            }),
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Run(Box::new(self.header.clone())), Record::Idle(self.bare.clone())];
        records.extend([Record::Bench(self.bench.clone()), Record::Idle(self.loaded.clone())]);
        records.push(Record::WarmUp(self.warm_up.clone()));
        records.extend(self.cycles.iter().cloned().map(|cycle| Record::Cycle(Box::new(cycle))));
        if self.resumed {
            let lem_bench = self.header.lem_bench.clone();
            records.push(Record::Resume(crate::model::ResumeRecord { at: at(990.0), resumed_unix_s: 0.0, lem_bench }));
        }
        records.extend(self.end.clone().map(Record::BenchEnd));
        records
    }

    /// Changes the bench's id.
    pub(super) fn rename(&mut self, id: &str) {
        let end = self.end.iter_mut().map(|end| &mut end.bench);
        let cycles = self.cycles.iter_mut().map(|cycle| &mut cycle.bench);
        let others = [&mut self.bench.id, &mut self.warm_up.bench];
        cycles.chain(end).chain(others).chain(&mut self.loaded.bench).for_each(|bench| id.clone_into(bench));
    }

    /// Scales each cycle's energy, by both methods.
    pub(super) fn scale(&mut self, by: impl Fn(usize) -> f64) {
        for (n, cycle) in self.cycles.iter_mut().enumerate() {
            let energy = &mut cycle.windows[0].energy[0];
            for joules in [&mut energy.joules, &mut energy.low, &mut energy.high] {
                *joules = Joules(joules.get() * by(n));
            }
            let scaled = |joules: Joules| Joules(joules.get() * by(n));
            energy.cross_check = energy.cross_check.map(scaled);
            energy.cross_check_bounds = energy.cross_check_bounds.map(|(low, high)| (scaled(low), scaled(high)));
        }
    }

    /// Sets idle power in each gap.
    pub(super) fn idle(&mut self, watts: impl Fn(usize) -> f64) {
        for (n, cycle) in self.cycles.iter_mut().enumerate() {
            cycle.idle.as_mut().unwrap().power[0].1 = Watts(watts(n));
        }
    }

    /// Sets the temperatures at the start and the end of each cycle.
    pub(super) fn temperatures(&mut self, celsius: impl Fn(usize) -> (f64, f64)) {
        for (n, cycle) in self.cycles.iter_mut().enumerate() {
            (cycle.temperature_c[0].1, cycle.temperature_c[0].2) = celsius(n);
        }
    }

    /// Adds a fact to the environment.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        self.header.environment.push(Fact { name: name.to_owned(), value: value.to_owned() });
    }

    /// Adds a sensor event, this many seconds after the start of a cycle's window of ten seconds.
    pub(super) fn event(&mut self, cycle: usize, kind: SensorEventKind, after_s: f64) {
        let begin = self.cycles[cycle].windows[0].start.seconds();
        let event = SensorEvent { at: at(begin + after_s), domain: gpu(), kind, detail: "as described".to_owned() };
        self.cycles[cycle].events.push(event);
    }

    /// Adds another process to the users of the GPU after these cycles.
    pub(super) fn add_user(&mut self, pid: u32, cycles: std::ops::Range<usize>) {
        for cycle in &mut self.cycles[cycles] {
            cycle.evidence.users.as_mut().unwrap().push(foreign_process(pid));
        }
    }

    /// Sets the work of each cycle.
    pub(super) fn work(&mut self, work: impl Fn(usize) -> WorkCounts) {
        for (n, cycle) in self.cycles.iter_mut().enumerate() {
            cycle.windows[0].work = work(n);
        }
    }

    /// Changes the work of each cycle.
    pub(super) fn change_work(&mut self, change: impl Fn(&mut WorkCounts)) {
        self.cycles.iter_mut().for_each(|cycle| change(&mut cycle.windows[0].work));
    }

    /// Changes the gauges of each cycle.
    pub(super) fn gauges(&mut self, change: impl Fn(usize, &mut GaugeEvidence)) {
        for (n, cycle) in self.cycles.iter_mut().enumerate() {
            change(n, &mut cycle.evidence.gauges[0]);
        }
    }
}

/// Evidence that provokes a finding, and evidence that just does not.
pub(super) struct Case {
    pub check: Check,
    pub weight: Severity,
    /// A part of the finding's evidence.
    pub says: &'static str,
    /// Changes a clean run so that there is such a finding.
    pub provoked: fn(&mut Run),
    /// Changes a clean run so that the finding is missing or less severe.
    pub spared: fn(&mut Run),
}

/// Returns a user of the GPU that is not part of the run.
pub(super) fn foreign_process(pid: u32) -> DeviceProcess {
    DeviceProcess { domain: gpu(), pid, memory_bytes: Some(3 << 30), own: false }
}

fn gpu() -> DomainId {
    DomainId::new("gpu:0")
}

fn block(from: f64, watts: f64) -> IdleBlock {
    IdleBlock { start: at(from), stop: at(from + 3.0), power: vec![(gpu(), Watts(watts))] }
}

fn header() -> RunHeader {
    let channel = |counter| ChannelProbe {
        domain: gpu(),
        counter,
        update_period_s: Some(0.1),
        quantum: None,
        read_cost_s: 1e-5,
        updates: 20,
        averaging_s: Some(0.1),
        dense_reads: None,
        safe_interval_s: None,
    };
    let limits =
        DeviceLimits { domain: gpu(), enforced_w: Some(700.0), default_w: Some(700.0), max_sm_clock_mhz: Some(1980.0) };
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: "0.1.0".to_owned(),
        run_id: "run".to_owned(),
        rank: 0,
        world: 1,
        target: "llm".to_owned(),
        started_unix_s: 0.0,
        started: at(0.0),
        seed: 1,
        probe: MeterProbe {
            meter: "nvml".to_owned(),
            origin: Origin::Measured,
            channels: vec![channel(true), channel(false)],
            temperature: true,
        },
        domains: vec![Domain { id: gpu(), kind: DomainKind::Gpu, parent: None, label: "H100".to_owned() }],
        headline: vec![gpu()],
        notes: Vec::new(),
        settings: Vec::new(),
        environment: Vec::new(),
        debug_build: false,
        plan: Vec::new(),
        shard: None,
        order: crate::model::RunOrder::default(),
        evidence: RunEvidence {
            pid: PID,
            limits: vec![limits],
            users: Some(Vec::new()),
            calibration: None,
            loop_ns: Some(8.0),
        },
    }
}

fn cycle(n: u32) -> CycleRecord {
    let joules = 3000.0 * (1.0 + SCATTER[n as usize] / 100.0);
    let start = 100.0 + 20.0 * f64::from(n);
    let energy = DomainEnergy {
        domain: gpu(),
        joules: Joules(joules),
        low: Joules(joules * 0.997),
        high: Joules(joules * 1.003),
        uncertainty: None,
        method: Method::Counter,
        cross_check: Some(Joules(joules * 1.001)),
        cross_check_bounds: Some((Joules(joules * 0.996), Joules(joules * 1.006))),
    };
    let work = WorkCounts { requests: 20, output_tokens: 1000, ..WorkCounts::default() };
    let clock = MinMeanMax { mean: 1980.0, min: 1980.0, max: 1980.0 };
    let own = DeviceProcess { domain: gpu(), pid: PID, memory_bytes: Some(8 << 30), own: true };
    CycleRecord {
        bench: "decode".to_owned(),
        index: n,
        idle: Some(block(start - 6.0, 100.0 + 0.2 * f64::from(n % 3))),
        windows: vec![WindowRecord { start: at(start), stop: at(start + 10.0), energy: vec![energy], work }],
        requests: RequestLog::default(),
        temperature_c: vec![(gpu(), 60.0, 61.0)],
        ramp_in_capped: false,
        spans: Vec::new(),
        traces: Vec::new(),
        events: Vec::new(),
        sampler_cpu: Some(0.001),
        process_cpu_s: Some(12.0),
        evidence: CycleEvidence {
            gauges: vec![GaugeEvidence {
                domain: gpu(),
                sm_clock_mhz: Some(clock),
                looked_s: 10.0,
                ..GaugeEvidence::default()
            }],
            cpu: Some(CpuEvidence { span_s: 15.0, machine_s: 12.1, own_s: 12.0, counted_s: Some(11.9), quota: None }),
            wall_offset_s: Some(1.75e9),
            users: Some(vec![own]),
        },
        custom_metrics: Vec::new(),
    }
}
