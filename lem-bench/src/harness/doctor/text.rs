//! The results of `cargo bench -- --doctor` and `cargo lem doctor`, and their text.

use serde::Serialize;

use crate::model::{ChannelProbe, Domain, DomainId, Fact, MeterProbe, Origin, count_of, fact_names};

/// Indentation of the second column.
const INDENT: &str = "                 ";

/// All results.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Diagnosis {
    /// Version of this library.
    pub lem_bench: String,
    /// Every kind of meter, in the order of preference of `--meter auto`.
    pub meters: Vec<MeterState>,
    /// The meter that `--meter auto` uses.
    pub auto: Auto,
    /// Why no sensor was probed; `None` if they were.
    pub not_probed: Option<String>,
    /// Facts about the machine.
    pub environment: Vec<Fact>,
    /// Libraries and binaries of the workspace in which `cargo bench -- OPTIONS` fails.
    pub libtest_targets: Vec<String>,
}

/// One kind of meter.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MeterState {
    /// Its value of `--meter`.
    pub name: String,
    /// Whether it can be read.
    pub ready: bool,
    /// Why it cannot be read.
    pub why: Option<String>,
    /// What the user can do about it.
    pub remedy: Option<String>,
    /// The domains that it measures.
    pub domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub headline: Vec<DomainId>,
    /// Notes of the meter about itself.
    pub notes: Vec<String>,
    /// Facts about its devices.
    pub facts: Vec<Fact>,
    /// Results of the probe of its sensors.
    pub probe: Option<MeterProbe>,
    /// Its noise at rest; `None` for an estimate, and if the power could not be measured.
    pub at_rest: Option<AtRest>,
    /// Other processes with a context on its devices.
    pub users: Vec<String>,
}

/// A meter's noise at rest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AtRest {
    /// Mean power of the headline domains, in W.
    pub mean_w: f64,
    /// Standard deviation of the mean powers of the blocks, in W.
    pub sd_w: f64,
    /// Number of blocks.
    pub blocks: usize,
    /// Length of a block, in seconds.
    pub block_s: f64,
    /// The smallest detectable changes for some lengths of a measurement.
    pub resolvable: Vec<Resolvable>,
}

/// The smallest change of mean power that two measurements can distinguish from the noise at rest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Resolvable {
    /// The length of each measurement, in seconds.
    pub seconds: f64,
    /// The change, in W.
    pub watts: f64,
    /// The change, in percent of the power at rest; `None` if that is 0.
    pub percent_of_rest: Option<f64>,
}

/// The meter that `--meter auto` uses.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Auto {
    /// The meter; `None` if a wrong setting prevents the choice.
    pub meter: Option<String>,
    /// Whether it measures or estimates.
    pub origin: Option<Origin>,
    /// The domains whose sum is the headline energy.
    pub headline: Vec<DomainId>,
    /// Why it was chosen, or why none was.
    pub why: String,
}

/// Returns the diagnosis as text.
pub(super) fn text(diagnosis: &Diagnosis) -> String {
    let mut lines = vec!["Meters of this machine".to_owned(), String::new()];
    for meter in &diagnosis.meters {
        lines.extend(meter_lines(meter));
    }
    lines.push(String::new());
    lines.push(auto_line(&diagnosis.auto));
    if let Some(why) = &diagnosis.not_probed {
        lines.push(format!("The sensors were not probed: {why}"));
    }
    let fact_named = |name: &&str| diagnosis.environment.iter().find(|fact| fact.name == **name);
    let shown = [
        fact_names::CPU_MODEL,
        fact_names::CPU_QUOTA,
        fact_names::CPU_GOVERNOR,
        fact_names::VIRTUALISATION,
        fact_names::CONTAINER,
        fact_names::POWER_SUPPLY,
    ]
    .iter()
    .filter_map(fact_named);
    lines.extend(shown.map(|fact| format!("{}: {}", fact.name, fact.value)));
    if !diagnosis.libtest_targets.is_empty() {
        lines.push(format!(
            "No `bench = false`: {}. `cargo bench -- OPTIONS` runs them with libtest, which fails with `Unrecognized \
             option`",
            diagnosis.libtest_targets.join(", ")
        ));
        lines.push(
            "  → add `bench = false` below `[lib]` or `[[bin]]`, or run `cargo bench --bench '*' -- OPTIONS`"
                .to_owned(),
        );
    }
    lines.join("\n") + "\n"
}

fn meter_lines(meter: &MeterState) -> Vec<String> {
    let mut lines = Vec::new();
    let first_line = |ready: &str, text: &str| format!("  {:9} {ready:4} {text}", meter.name);
    if let Some(why) = &meter.why {
        lines.push(first_line("no", why));
        lines.extend(meter.remedy.as_ref().map(|remedy| format!("{INDENT}→ {remedy}")));
        return lines;
    }
    let headline = if meter.headline.is_empty() { "none".to_owned() } else { ids(&meter.headline) };
    lines.push(first_line("yes", &format!("headline: {headline}")));
    for domain in &meter.domains {
        let inside = domain.parent.as_ref().map(|parent| format!(", inside {parent}")).unwrap_or_default();
        lines.push(format!("{INDENT}{}: {}{inside}", domain.id, domain.label));
        let probes = meter.probe.iter().flat_map(|probe| &probe.channels).filter(|channel| channel.domain == domain.id);
        for channel in probes {
            lines.push(format!("{INDENT}  {}", sensor(channel)));
            lines.extend(dense_reads(channel).map(|line| format!("{INDENT}    {line}")));
        }
    }
    lines.extend(meter.at_rest.iter().flat_map(at_rest));
    lines.extend(meter.users.iter().map(|user| format!("{INDENT}{user}: results would include its energy")));
    let in_notes = |value: &str| meter.notes.iter().any(|note| note.contains(value));
    let facts = meter.facts.iter().filter(|fact| !in_notes(&fact.value));
    lines.extend(facts.map(|fact| format!("{INDENT}{}: {}", fact.name, fact.value)));
    lines.extend(meter.notes.iter().map(|note| format!("{INDENT}note: {note}")));
    lines
}

/// Returns lines about the noise at rest and the smallest detectable changes.
fn at_rest(rest: &AtRest) -> Vec<String> {
    let (mean, sd, block_s) = (rest.mean_w, rest.sd_w, rest.block_s);
    let seconds = block_s * rest.blocks as f64;
    let mut lines = vec![
        format!("{INDENT}at rest: {mean:.2} W ± {sd:.2} W (blocks of {block_s:.1} s, over {seconds:.0} s)"),
        format!("{INDENT}smallest change that two measurements can detect in this noise:"),
    ];
    lines.extend(rest.resolvable.iter().map(|change| {
        let percent = change.percent_of_rest.map(|percent| format!(" ({percent:.2} %)")).unwrap_or_default();
        format!("{INDENT}  {:.3} W{percent} with {:.0} min each", change.watts, change.seconds / 60.0)
    }));
    lines
}

/// Returns the effect of frequent reads on a counter, if it was measured.
fn dense_reads(channel: &ChannelProbe) -> Option<String> {
    let reads = channel.dense_reads?;
    let interval = quantity(reads.interval_s, "s");
    if !reads.disturb() {
        return Some(format!("reading it every {interval} does not change its values"));
    }
    let change = 100.0 * reads.change();
    let direction = if change < 0.0 { "less" } else { "more" };
    let effect = format!("when it is read every {interval}, it reports {:.0} % {direction}", change.abs());
    let period = channel.update_period_s.unwrap_or(0.0);
    Some(match channel.safe_interval_s {
        Some(safe) if safe <= period => format!("{effect}; a bench reads it at most every {}", quantity(safe, "s")),
        _ => format!("{effect}; even reads one update apart change it: use long windows (`--min-window`)"),
    })
}

fn sensor(channel: &ChannelProbe) -> String {
    let kind = if channel.counter { "energy counter" } else { "power gauge" };
    let unit = if channel.counter { "J" } else { "W" };
    let period = match channel.update_period_s {
        _ if channel.updates == 0 => "no update during the probe".to_owned(),
        None => format!("slow, {} during the probe", count_of(channel.updates, "update")),
        Some(period) if period <= 0.0 => "updates at every read".to_owned(),
        Some(period) => format!("updates every {}", quantity(period, "s")),
    };
    let label = if channel.counter { "steps of" } else { "smallest step" };
    let step = channel.quantum.map(|step| format!(", {label} {}", quantity(step, unit))).unwrap_or_default();
    format!("{kind}: {period}{step}, {} per read", quantity(channel.read_cost_s, "s"))
}

/// Formats a quantity with a suitable prefix and about three digits.
fn quantity(value: f64, unit: &str) -> String {
    let (value, prefix) = match value {
        _ if value >= 1.0 || value <= 0.0 => (value, ""),
        _ if value >= 1e-3 => (value * 1e3, "m"),
        _ if value >= 1e-6 => (value * 1e6, "µ"),
        _ => (value * 1e9, "n"),
    };
    let digits = usize::from(value < 100.0 && prefix != "n");
    format!("{value:.digits$} {prefix}{unit}")
}

fn auto_line(auto: &Auto) -> String {
    let Some(meter) = &auto.meter else { return format!("auto cannot choose a meter: {}", auto.why) };
    let label = match auto.origin {
        Some(Origin::Measured) => "",
        _ => ", an estimate and no measurement",
    };
    format!("auto uses {meter} ({}){label}: {}", ids(&auto.headline), auto.why)
}

fn ids(ids: &[DomainId]) -> String {
    ids.iter().map(DomainId::as_str).collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DenseReads;

    #[test]
    fn describes_sensors() {
        let mut channel = ChannelProbe {
            domain: DomainId::new("gpu:0"),
            counter: true,
            update_period_s: Some(0.0205),
            quantum: Some(6.1e-5),
            read_cost_s: 2.4e-7,
            updates: 12,
            averaging_s: None,
            dense_reads: None,
            safe_interval_s: None,
        };
        assert_eq!(sensor(&channel), "energy counter: updates every 20.5 ms, steps of 61.0 µJ, 240 ns per read");
        assert_eq!(dense_reads(&channel), None, "not measured");
        channel.dense_reads = Some(DenseReads { interval_s: 0.001, dense_w: 69.0, sparse_w: 70.0, noise_w: 0.5 });
        // A difference of less than 3 %.
        assert_eq!(dense_reads(&channel).unwrap(), "reading it every 1.0 ms does not change its values");
        channel.dense_reads = Some(DenseReads { interval_s: 0.001, dense_w: 3.5, sparse_w: 70.0, noise_w: 0.5 });
        channel.safe_interval_s = Some(0.005);
        let limited = "when it is read every 1.0 ms, it reports 95 % less; a bench reads it at most every 5.0 ms";
        assert_eq!(dense_reads(&channel).unwrap(), limited);
        channel.safe_interval_s = Some(0.205);
        assert!(dense_reads(&channel).unwrap().contains("even reads one update apart change it"));
        channel.update_period_s = None;
        assert!(sensor(&channel).contains("slow, 12 updates"));
        (channel.updates, channel.quantum, channel.counter) = (0, None, false);
        assert_eq!(sensor(&channel), "power gauge: no update during the probe, 240 ns per read");
    }
}
