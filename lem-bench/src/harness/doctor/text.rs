//! A diagnosis for people.

use super::diagnosis::{AtRest, Auto, Diagnosis, MeterState};
use crate::model::{ChannelProbe, DomainId, Origin, fact_names};

/// Where the second column begins.
const INDENT: &str = "                 ";

/// The diagnosis as text.
pub(super) fn text(diagnosis: &Diagnosis) -> String {
    let mut lines = vec!["What can measure energy on this machine".to_owned(), String::new()];
    for meter in &diagnosis.meters {
        lines.extend(meter_lines(meter));
    }
    lines.push(String::new());
    lines.push(auto_line(&diagnosis.auto));
    if let Some(why) = &diagnosis.not_probed {
        lines.push(format!("The sensors were not probed: {why}"));
    }
    let standing = |name: &&str| diagnosis.environment.iter().find(|fact| fact.name == **name);
    let told = [
        fact_names::CPU_MODEL,
        fact_names::CPU_GOVERNOR,
        fact_names::VIRTUALISATION,
        fact_names::CONTAINER,
        fact_names::POWER_SUPPLY,
    ]
    .iter()
    .filter_map(standing);
    lines.extend(told.map(|fact| format!("{}: {}", fact.name, fact.value)));
    lines.join("\n") + "\n"
}

fn meter_lines(meter: &MeterState) -> Vec<String> {
    let mut lines = Vec::new();
    let head = |answer: &str, rest: &str| format!("  {:9} {answer:4} {rest}", meter.name);
    if let Some(why) = &meter.why {
        lines.push(head("no", why));
        lines.extend(meter.remedy.as_ref().map(|remedy| format!("{INDENT}→ {remedy}")));
        return lines;
    }
    lines.push(head("yes", &format!("headline: {}", ids(&meter.headline))));
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
    lines.extend(meter.users.iter().map(|user| format!("{INDENT}{user}: its energy would be in every figure")));
    let said = |value: &str| meter.notes.iter().any(|note| note.contains(value));
    let facts = meter.facts.iter().filter(|fact| !said(&fact.value));
    lines.extend(facts.map(|fact| format!("{INDENT}{}: {}", fact.name, fact.value)));
    lines.extend(meter.notes.iter().map(|note| format!("{INDENT}note: {note}")));
    lines
}

/// The noise at rest, and what can be told from it.
fn at_rest(rest: &AtRest) -> Vec<String> {
    let blocks = match rest.block_s {
        length if (0.95..1.05).contains(&length) => "from second to second".to_owned(),
        length => format!("from one {length:.1} s to the next"),
    };
    let seconds = rest.block_s * rest.blocks as f64;
    let mut lines = vec![
        format!("{INDENT}at rest: {:.2} W ± {:.2} W {blocks}, over {seconds:.0} s", rest.mean_w, rest.sd_w),
        format!("{INDENT}smallest change that two measurements could tell from that:"),
    ];
    lines.extend(rest.resolvable.iter().map(|least| {
        let share = least.percent_of_rest.map(|percent| format!(" ({percent:.2} %)")).unwrap_or_default();
        format!("{INDENT}  {:.3} W{share} of {:.0} min each", least.watts, least.seconds / 60.0)
    }));
    lines
}

/// What reading a counter often does to it, where that was tried out.
fn dense_reads(channel: &ChannelProbe) -> Option<String> {
    let found = channel.dense_reads?;
    let often = format!("read every {}", quantity(found.interval_s, "s"));
    if !found.disturb() {
        return Some(format!("{often} it tells the same"));
    }
    let change = 100.0 * found.change();
    let told = format!("{often} it tells {:.0} % {}", change.abs(), if change < 0.0 { "less" } else { "more" });
    let period = channel.update_period_s.unwrap_or(0.0);
    Some(match channel.safe_interval_s {
        Some(safe) if safe <= period => {
            format!("{told}: a bench reads it no oftener than every {}", quantity(safe, "s"))
        }
        _ => format!("{told}, and even reads one update apart change it: use long windows (`--min-window`)"),
    })
}

fn sensor(channel: &ChannelProbe) -> String {
    let kind = if channel.counter { "energy counter" } else { "power gauge" };
    let unit = if channel.counter { "J" } else { "W" };
    let period = match channel.update_period_s {
        _ if channel.updates == 0 => "never moved while it was watched".to_owned(),
        None => format!("moved {} times while it was watched: slow", channel.updates),
        Some(period) if period <= 0.0 => "new at every read".to_owned(),
        Some(period) => format!("every {}", quantity(period, "s")),
    };
    let steps = if channel.counter { "steps of" } else { "steps from" };
    let step = channel.quantum.map(|step| format!(", {steps} {}", quantity(step, unit))).unwrap_or_default();
    format!("{kind}: {period}{step}, {} a read", quantity(channel.read_cost_s, "s"))
}

/// A small quantity with a prefix that suits it, to three digits or so.
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
    let Some(meter) = &auto.meter else {
        return format!("--meter auto can't choose: {}", auto.why.as_deref().unwrap_or_default());
    };
    let label = match auto.origin {
        Some(Origin::Measured) => "",
        _ => ", which is no measurement",
    };
    format!("--meter auto takes {meter} ({}){label}", ids(&auto.headline))
}

fn ids(ids: &[DomainId]) -> String {
    ids.iter().map(DomainId::as_str).collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DenseReads;

    #[test]
    fn sensors_are_told_in_words() {
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
        assert_eq!(sensor(&channel), "energy counter: every 20.5 ms, steps of 61.0 µJ, 240 ns a read");
        assert_eq!(dense_reads(&channel), None, "it was not tried out");
        channel.dense_reads = Some(DenseReads { interval_s: 0.001, dense_w: 69.0, sparse_w: 70.0, noise_w: 0.5 });
        assert_eq!(dense_reads(&channel).unwrap(), "read every 1.0 ms it tells the same", "within 3 %");
        channel.dense_reads = Some(DenseReads { interval_s: 0.001, dense_w: 3.5, sparse_w: 70.0, noise_w: 0.5 });
        channel.safe_interval_s = Some(0.005);
        let limited = "read every 1.0 ms it tells 95 % less: a bench reads it no oftener than every 5.0 ms";
        assert_eq!(dense_reads(&channel).unwrap(), limited);
        channel.safe_interval_s = Some(0.205);
        assert!(dense_reads(&channel).unwrap().contains("even reads one update apart change it"));
        channel.update_period_s = None;
        assert!(sensor(&channel).contains("moved 12 times"));
        (channel.updates, channel.quantum, channel.counter) = (0, None, false);
        assert_eq!(sensor(&channel), "power gauge: never moved while it was watched, 240 ns a read");
    }
}
