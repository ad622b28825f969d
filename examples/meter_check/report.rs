//! The report as text.

use serde_json::Value;

/// Returns the values of `keys` as text.
fn formatted<const N: usize>(row: &Value, keys: [&str; N]) -> [String; N] {
    keys.map(|key| match &row[key] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    })
}

/// Prints the report of one meter.
pub(crate) fn print(report: &Value) {
    let [meter, origin, why, remedy] = formatted(report, ["meter", "origin", "why", "remedy"]);
    if report["origin"].is_null() {
        return println!("{meter}: not available: {why}\n    {remedy}\n");
    }
    println!("{meter} ({origin})");
    for note in rows(report, "notes") {
        println!("    {}", note.as_str().unwrap_or_default());
    }
    for fact in rows(report, "facts") {
        println!("    {}: {}", fact[0].as_str().unwrap_or_default(), fact[1].as_str().unwrap_or_default());
    }
    print_sensors(report);
    if !report["under_load"].is_null() {
        println!("  under load:");
        print_sensors(&report["under_load"]);
    }
    if let Some(why) = report["no_runs"].as_str() {
        println!("  the complete load could not be measured: {why}");
    }
    for row in rows(report, "runs") {
        let [run, joules, uncertainty, seconds, watts] =
            formatted(&row, ["run", "joules", "uncertainty_j", "seconds", "mean_w"]);
        println!("  complete load, run {run}: {joules} J ± {uncertainty} J in {seconds} s, {watts} W");
    }
    println!();
}

fn rows(row: &Value, key: &str) -> Vec<Value> {
    row[key].as_array().cloned().unwrap_or_default()
}

/// Prints the values of the sensors in one state of the machine.
fn print_sensors(report: &Value) {
    for row in rows(report, "costs") {
        let [channel, median, p95, failed] = formatted(&row, ["channel", "median_us", "p95_us", "failed"]);
        println!("  {channel:<32} a read costs {median} µs, p95 {p95} µs, {failed} failed");
    }
    for density in rows(report, "densities") {
        for row in rows(&density, "sensors") {
            let every = &density["polled_every_ms"];
            let [channel, period, step, mean] = formatted(&row, ["channel", "period_ms", "quantum", "mean_w"]);
            println!("  {channel:<32} read every {every} ms: updates every {period} ms, step {step}, mean {mean} W");
        }
    }
    for row in rows(report, "agreement") {
        let [domain, counted, integrated, percent] =
            formatted(&row, ["domain", "counter_j", "integrated_j", "difference_percent"]);
        println!("  {domain:<32} counter {counted} J, integrated power {integrated} J: {percent} %");
    }
}
