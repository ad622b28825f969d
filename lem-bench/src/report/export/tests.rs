//! Rules for all formats: unchanged names, labels, and no numbers where there are none.

use serde_json::Value;

use super::{Content, FORMATS, Format};
use crate::analysis::Summary;
use crate::model::{Fact, fact_names};
use crate::report::fixture;

fn made(name: &str, run: &Summary) -> String {
    Format::named(name).unwrap().render(std::slice::from_ref(run)).unwrap()
}

/// A short run for snapshots: a valid, an invalid and a warning bench, with few readings.
fn short() -> Summary {
    let mut run = fixture::on_a_card();
    run.benches = vec![run.benches.swap_remove(0), run.benches.swap_remove(2), run.benches.swap_remove(1)];
    for bench in &mut run.benches {
        bench.cycles.truncate(1);
        let traces = bench
            .cycles
            .iter_mut()
            .map(|cycle| &mut cycle.traces)
            .chain(bench.warm_up.iter_mut().map(|w| &mut w.traces));
        for trace in traces.flatten() {
            trace.power_w.truncate(2);
            trace.temperature_c.truncate(1);
        }
        bench.warm_up.iter_mut().for_each(|warm_up| warm_up.probes_s.truncate(2));
    }
    run
}

#[test]
fn snapshots() {
    for format in FORMATS {
        let text = made(format.name, &short());
        assert!(text.ends_with('\n'), "{}", format.name);
        let text = match format.name {
            "json" => serde_json::to_string_pretty(&serde_json::from_str::<Value>(&text).unwrap()).unwrap(),
            _ => text,
        };
        insta::assert_snapshot!(format.name, text);
    }
    // Snapshots don't distinguish line endings.
    let csv = made("csv", &short());
    assert_eq!(csv.matches("\r\n").count(), csv.matches('\n').count());
}

#[test]
fn names_and_files_are_unique() {
    let mut names: Vec<&str> = FORMATS.iter().flat_map(|f| f.aliases.iter().chain([&f.name])).copied().collect();
    let mut files: Vec<&str> = FORMATS.iter().map(|format| format.file).collect();
    for list in [&mut names, &mut files] {
        let n = list.len();
        list.sort_unstable();
        list.dedup();
        assert_eq!(list.len(), n);
    }
    assert_eq!(Format::named("customSmallerIsBetter").map(|format| format.name), Some("github"));
    assert!(Format::named("yaml").is_none());
}

#[test]
fn rejects_two_runs() {
    let runs = [short(), short()];
    for format in FORMATS {
        let result = format.render(&runs);
        assert_eq!(result.is_ok(), matches!(format.content, Content::Many(_)), "{}", format.name);
        if let Err(error) = result {
            assert!(error.to_string().contains(format.name), "{error}");
        }
    }
    let error = Format::named("bmf").unwrap().render(&runs).unwrap_err();
    insta::assert_snapshot!(error, @"a file of format `bmf` holds one run, but 2 runs were given");
}

/// Parses CSV by RFC 4180 into the head and the rows.
fn rows(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    let head: Vec<String> = rows.remove(0);
    assert!(rows.iter().all(|row: &Vec<String>| row.len() == head.len()));
    (head, rows)
}

#[test]
fn names_are_unchanged() {
    let run = fixture::hostile();
    let ids: Vec<&str> = run.benches.iter().map(|bench| bench.bench.id.as_str()).collect();
    let (head, rows) = rows(&made("csv", &run));
    let bench = head.iter().position(|name| name == "bench").unwrap();
    assert!(head.contains(&format!("param.{}", fixture::HOSTILE)));
    let cycles = made("cycles", &run);
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    let github: Value = serde_json::from_str(&made("github", &run)).unwrap();
    let json: Value = serde_json::from_str(&made("json", &run)).unwrap();
    for (index, id) in ids.iter().enumerate() {
        assert!(rows.iter().any(|row| row[bench] == *id));
        assert!(cycles.lines().any(|line| serde_json::from_str::<Value>(line).unwrap()["bench"] == *id));
        let full = run.run.bench_target().full_id(id);
        assert!(bmf.get(&full).is_some(), "{bmf}");
        assert!(github.as_array().unwrap().iter().any(|entry| entry["name"].as_str().unwrap().starts_with(&full)));
        assert_eq!(json["benches"][index]["id"], *id);
    }
}

#[test]
fn packages_do_not_share_names() {
    let mut run = fixture::on_a_card();
    run.run.environment.push(Fact::new(fact_names::PACKAGE, "alpha"));
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    assert!(bmf.get("alpha/llm/decode/batch=1/dtype=f32").is_some(), "{bmf}");
    let github: Value = serde_json::from_str(&made("github", &run)).unwrap();
    assert!(github[0]["name"].as_str().unwrap().starts_with("alpha/llm/decode/"), "{github}");
    let xml = made("junit", &run);
    assert!(xml.contains("<testsuite name=\"alpha/llm\"") && xml.contains("classname=\"alpha/llm\""), "{xml}");
    assert!(made("openmetrics", &run).contains(",package=\"alpha\",target=\"llm\",bench=\"decode/"));
    assert!(made("csv", &run).contains(",alpha,llm,decode/batch=1/dtype=f32,"));
    assert!(made("cycles", &run).contains("\"package\":\"alpha\",\"target\":\"llm\",\"bench\":\"decode/"));
    assert!(made("markdown", &run).starts_with("### Energy of `alpha/llm`\n"));
}

#[test]
fn escapes_names() {
    let run = fixture::hostile();
    let xml = made("junit", &run);
    assert!(!xml.contains("<script") && !xml.contains('\u{1b}') && xml.contains("\\u{1b}"), "{xml}");
    let markdown = made("markdown", &run);
    assert!(!markdown.contains('\u{1b}') && !markdown.contains('\u{202E}'));
    for line in markdown.lines().filter(|line| line.starts_with("- ")) {
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains("<script") && !outside.contains("<img"), "{line}");
    }
    let table: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(table.len() == 4 && table.iter().all(|line| bars(line) == bars(table[0])), "{table:#?}");
    let prom = made("openmetrics", &run);
    for line in prom.lines() {
        assert!(line.starts_with("lem_bench_") || line.starts_with("# "), "{line}");
    }
    assert!(made("bencher", &run).lines().all(|line| line.starts_with("test ") || line.starts_with("# ")));
}

#[test]
fn labels_energy_that_was_not_measured() {
    let run = fixture::on_an_estimate();
    let (head, rows) = rows(&made("csv", &run));
    let column = |name: &str| head.iter().position(|known| known == name).unwrap();
    for row in &rows {
        let energy = row[column("metric")].contains("j_per_") || row[column("unit")] == "W";
        assert_eq!(
            row[column("origin")] == "estimated",
            energy || row[column("metric")].contains("joule") || row[column("unit")] == "J",
            "{row:?}"
        );
        assert_eq!(row[column("value")].is_empty(), row[column("metric")].starts_with("net_"), "{row:?}");
        assert_eq!(
            row[column("missing")] == "estimates have no idle power",
            row[column("metric")].starts_with("net_"),
            "{row:?}"
        );
    }
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    let measures = bmf["llm/decode/batch=1"].as_object().unwrap();
    assert!(measures.contains_key("estimated j_per_output_token") && !measures.contains_key("j_per_output_token"));
    assert!(measures.contains_key("output_tokens_per_s"), "{measures:?}");
    let github: Value = serde_json::from_str(&made("github", &run)).unwrap();
    assert_eq!(github[0]["name"], "llm/decode/batch=1 · j_per_output_token (estimated)");
    let prom = made("openmetrics", &run);
    let energies = prom.lines().filter(|line| line.starts_with("lem_bench_j_per_"));
    assert!(energies.clone().count() >= 2 && energies.clone().all(|line| line.contains("origin=\"estimated\"")));
    assert!(prom.contains("reason=\"estimates have no idle power\"} 1.0"), "{prom}");
    for name in ["junit", "markdown", "json", "cycles"] {
        assert!(made(name, &run).contains("estimated"), "{name}");
    }
}

#[test]
fn labels_invalid_benches() {
    let run = fixture::on_a_card();
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    let measures = bmf["llm/decode/batch=1/dtype=f32"].as_object().unwrap();
    assert!(measures.keys().all(|name| name.starts_with("invalid ")), "{measures:?}");
    assert!(bmf.get("llm/broken").is_none());
    let lines = made("bencher", &run);
    assert!(lines.contains("test decode/batch=1/dtype=f32 ... FAILED\n") && lines.contains("test broken ... FAILED\n"));
    let xml = made("junit", &run);
    assert!(xml.contains("<testsuites name=\"lem-bench\" tests=\"6\" failures=\"1\" errors=\"1\""), "{xml}");
    let prom = made("openmetrics", &run);
    let invalid = "bench=\"decode/batch=1/dtype=f32\",status=\"invalid\",outcome=\"completed\"} 0.0";
    assert!(prom.contains(invalid), "{prom}");
    let (head, rows) = rows(&made("csv", &run));
    let column = |name: &str| head.iter().position(|known| known == name).unwrap();
    let broken: Vec<_> = rows.iter().filter(|row| row[column("bench")] == "broken").collect();
    assert_eq!(broken.len(), 1, "a bench without metrics has a row");
    assert_eq!((&*broken[0][column("outcome")], &*broken[0][column("value")]), ("panicked", ""));
    assert!(broken[0][column("missing")].contains("index out of bounds"));
}

#[test]
fn writes_no_number_that_is_not_finite() {
    let run = fixture::hostile();
    for format in FORMATS {
        let text = made(format.name, &run);
        for none in ["NaN", "inf", ": 0.0,\n"] {
            let numbers = text.lines().filter(|line| !line.contains("info")).filter(|line| line.contains(none));
            assert_eq!(numbers.collect::<Vec<_>>(), Vec::<&str>::new(), "{} has {none}", format.name);
        }
    }
}

#[test]
fn numbers_keep_all_digits() {
    let run = fixture::on_a_card();
    let expected = &run.benches[0].metrics["j_per_output_token"];
    let (head, rows) = rows(&made("csv", &run));
    let column = |name: &str| head.iter().position(|known| known == name).unwrap();
    let row = rows
        .iter()
        .find(|row| row[column("bench")] == run.benches[0].bench.id && row[column("headline")] == "true")
        .unwrap();
    let number = |name: &str| row[column(name)].parse::<f64>().unwrap();
    assert_eq!(Some(number("value")), expected.value);
    assert_eq!(number("high"), expected.interval.as_ref().unwrap().high);
    // 334.9 W over 0.4123 J a token, 64 tokens a request: 78.79 ms a request.
    let line = made("bencher", &run);
    assert!(line.starts_with("test decode/batch=1/dtype=bf16 ... bench:    78791281 ns/iter (+/- 3"), "{line}");
}
