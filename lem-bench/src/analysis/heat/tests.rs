use super::correction::{HeatCorrection, correct};
use super::equilibrium::Equilibrium;
use super::history::{Block, CycleBlocks, DeviceHistory, PARTS, Reading, exact};
use super::power::StepSearch;
use super::temperature::Temperature;
use crate::model::DomainId;

const STEP_S: f64 = 0.25;
const LOAD_W: f64 = 350.0;
const IDLE_W: f64 = 115.0;
const AMBIENT_C: f64 = 30.0;

/// A device with two stages, power that depends on its temperature, and a sensor of whole degrees.
struct Device {
    stages: [(f64, f64); 2],
    load_w_per_c: f64,
    step: Option<(f64, f64)>,
}

impl Device {
    fn watts(&self, is_load: bool, above_c: f64) -> f64 {
        let step = self.step.filter(|(at_c, _)| is_load && AMBIENT_C + above_c > *at_c).map_or(0.0, |step| step.1);
        (if is_load { LOAD_W } else { IDLE_W }) + self.load_w_per_c * above_c + step
    }

    /// The power of the load in equilibrium.
    fn equilibrium_w(&self) -> f64 {
        let c_per_w: f64 = self.stages.iter().map(|(c_per_w, _)| c_per_w).sum();
        (0..1000).fold(LOAD_W, |watts, _| self.watts(true, c_per_w * watts))
    }

    /// 20 s of rest, 60 s of warm-up, then ten cycles of 5 s of rest and 13 s of load, whose last 10 s are a window.
    fn history(&self) -> DeviceHistory {
        let mut above = self.stages.map(|(c_per_w, _)| c_per_w * IDLE_W);
        let (mut watts, mut readings) = (Vec::new(), Vec::new());
        let mut run = |is_load: bool, seconds: f64, part: usize| {
            let start_s = watts.len() as f64 * STEP_S;
            let steps = (seconds / STEP_S) as usize;
            let mut sum = 0.0;
            for _ in 0..steps {
                let mut step_w = 0.0;
                for _ in 0..25 {
                    let power = self.watts(is_load, above.iter().sum());
                    for (above, (c_per_w, tau_s)) in above.iter_mut().zip(self.stages) {
                        *above += (c_per_w * power - *above) * (STEP_S / 25.0) / tau_s;
                    }
                    step_w += power / 25.0;
                }
                sum += step_w;
                watts.push(step_w);
                readings.push((watts.len() as f64 * STEP_S, (AMBIENT_C + above.iter().sum::<f64>()).round()));
            }
            Block { start_s, stop_s: start_s + steps as f64 * STEP_S, watts: sum / steps as f64, part }
        };
        let idle = (0..5).map(|part| run(false, 4.0, part)).collect();
        let warm_up: Vec<Block> = (0..30).map(|number| run(true, 2.0, number / 6)).collect();
        let cycle = |number: usize| {
            let part = PARTS + number / 2;
            run(false, 2.0, part);
            let idle = Some(run(false, 3.0, part));
            run(true, 3.0, part);
            CycleBlocks { windows: vec![run(true, 10.0, part)], idle, part }
        };
        let cycles: Vec<CycleBlocks> = (0..10).map(cycle).collect();
        let part_of = |at_s: f64| {
            if at_s < 80.0 { ((at_s - 20.0).max(0.0) / 12.0) as usize } else { PARTS + ((at_s - 80.0) / 36.0) as usize }
        };
        let to_reading = |(at_s, celsius): (f64, f64)| Reading { at_s, celsius, part: part_of(at_s) };
        DeviceHistory {
            step_s: STEP_S,
            readings: exact(&readings).into_iter().map(to_reading).collect(),
            highest_c: readings.iter().map(|reading| reading.1).fold(0.0, f64::max),
            watts,
            warm_up: warm_up.into_iter().skip(4).collect(),
            idle,
            cycles,
        }
    }
}

/// The errors of the corrected and of the measured mean power, in percent, and the correction.
fn errors(device: &Device) -> (f64, f64, HeatCorrection) {
    let history = device.history();
    let corrected = correct(&history, &DomainId::new("gpu:0")).unwrap();
    let count = history.cycles.len() as f64;
    let raw = history.cycles.iter().map(|cycle| cycle.windows[0].watts).sum::<f64>() / count;
    let added = corrected.load_w.iter().sum::<f64>() / count;
    let percent = |watts: f64| (watts / device.equilibrium_w() - 1.0) * 100.0;
    (percent(raw + added), percent(raw), corrected)
}

#[test]
fn single_stage_is_corrected() {
    for tau_s in [20.0, 60.0, 150.0] {
        for load_w_per_c in [0.0, 0.5, 1.2] {
            let device = Device { stages: [(0.08, tau_s), (0.0, 1.0)], load_w_per_c, step: None };
            let (error, raw, corrected) = errors(&device);
            let device = &corrected.devices[0];
            assert!(error.abs() < 0.05 + 0.05 * raw.abs(), "{tau_s} {load_w_per_c}: {error} of {raw}, {device:?}");
            assert!(corrected.load_error_w < 2.0, "{tau_s} {load_w_per_c}: {corrected:?}");
            assert!((device.idle_w_per_c - load_w_per_c).abs() < 0.05, "{device:?}");
            assert_eq!(device.time_constants_s.len(), 1, "{device:?}");
            assert!((device.time_constants_s[0] / tau_s).ln().abs() < 0.15, "{tau_s}: {device:?}");
        }
    }
}

#[test]
fn two_stages_are_corrected() {
    for stages in [[(0.03, 4.0), (0.05, 80.0)], [(0.05, 3.0), (0.03, 60.0)], [(0.04, 10.0), (0.04, 120.0)]] {
        let (error, raw, corrected) = errors(&Device { stages, load_w_per_c: 0.8, step: None });
        assert!(raw < -0.4 && error.abs() < 0.3, "{stages:?}: {error} of {raw}, {corrected:?}");
        assert_eq!(corrected.devices[0].time_constants_s.len(), 2, "{corrected:?}");
    }
}

#[test]
fn step_of_power_is_found() {
    let device = Device { stages: [(0.08, 60.0), (0.0, 1.0)], load_w_per_c: 0.5, step: Some((48.0, 5.0)) };
    let (error, raw, corrected) = errors(&device);
    let (at_c, watts) = corrected.devices[0].step.unwrap();
    assert!((at_c - 48.0).abs() < 1.0 && (watts - 5.0).abs() < 1.0, "{at_c} {watts}");
    assert!(raw < -0.4 && error.abs() < 0.2, "{error} of {raw}");
}

#[test]
fn constant_temperature_is_not_corrected() {
    let device = Device { stages: [(0.0005, 20.0), (0.0, 1.0)], load_w_per_c: 0.5, step: None };
    let error = correct(&device.history(), &DomainId::new("gpu:0")).unwrap_err();
    assert!(error.contains("hardly changed"), "{error}");
}

/// A constant load on a real H200, every 5 s: see `tests/reference/h200/README.md`. The power is that at the end of 250 s.
#[test]
fn load_of_a_real_card_is_extrapolated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/h200/heat.json");
    let reference: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let to_row = |row: &serde_json::Value| (number(&row["t"]), number(&row["T"][0]), number(&row["W"]));
    let rows: Vec<(f64, f64, f64)> = reference["rows"].as_array().unwrap().iter().map(to_row).collect();
    let end_w = rows[rows.len() - 5..].iter().map(|row| row.2).sum::<f64>() / 5.0;
    let rest_s = 20.0;
    for (warm_up_s, used_s) in [(50.0, 80.0), (60.0, 120.0), (100.0, 160.0)] {
        let part_of = |at_s: f64| (((at_s - rest_s).max(0.0) / 12.0) as usize).min(PARTS - 1);
        let mut watts = vec![126.0; (rest_s / STEP_S) as usize];
        let mut readings = vec![(rest_s - 1.0, 40.0), (rest_s, 40.0)];
        let (mut warm_up, mut windows) = (Vec::new(), Vec::new());
        let mut start_s = rest_s;
        for (at_s, celsius, power) in rows.iter().filter(|row| row.0 < used_s) {
            let stop_s = rest_s + at_s;
            watts.resize((stop_s / STEP_S) as usize, *power);
            readings.push((stop_s, *celsius));
            let block = Block { start_s, stop_s, watts: *power, part: part_of(stop_s) };
            if *at_s < warm_up_s { &mut warm_up } else { &mut windows }.push(block);
            start_s = stop_s;
        }
        let to_reading = |(at_s, celsius): (f64, f64)| Reading { at_s, celsius, part: part_of(at_s) };
        let to_cycle = |block: &Block| CycleBlocks { windows: vec![*block], idle: None, part: PARTS };
        let history = DeviceHistory {
            step_s: STEP_S,
            watts,
            readings: exact(&readings).into_iter().map(to_reading).collect(),
            warm_up: warm_up.into_iter().skip(1).collect(),
            idle: Vec::new(),
            cycles: windows.iter().map(to_cycle).collect(),
            highest_c: 58.0,
        };
        let raw_w = windows.iter().map(|block| block.watts).sum::<f64>() / windows.len() as f64;
        let temperature = Temperature::fit(&history);
        println!("{:?}", temperature.as_ref().map(|t| (t.network, t.surroundings_c, t.c_per_w)));
        let model = Equilibrium::fit(&history, &temperature.unwrap(), None, StepSearch::Everywhere).unwrap();
        let (error, raw) = ((model.watts / end_w - 1.0) * 100.0, (raw_w / end_w - 1.0) * 100.0);
        println!("{warm_up_s} {used_s}: {error:.2} raw {raw:.2}, {:.1} °C {:?}", model.celsius, model.power);
        assert!(error.abs() < 0.5, "{error:.2} % of {raw:.2} %: {:?}", model.power);
    }
}
