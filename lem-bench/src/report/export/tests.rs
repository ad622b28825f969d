//! What every format must keep: names, labels, and that nothing is a number which is none.

use serde_json::Value;

use super::FORMATS;
use super::format::Format;
use crate::analysis::Summary;
use crate::report::fixture;

fn made(name: &str, run: &Summary) -> String {
    Format::named(name).unwrap().render(std::slice::from_ref(run)).unwrap()
}

/// A run that is short enough for people to read: a good bench, an invalid one and one that panicked.
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
        insta::assert_snapshot!(format.name, text);
    }
}

#[test]
fn formats_are_found_by_all_their_names_and_write_files_of_their_own() {
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
fn a_format_that_holds_one_run_refuses_two() {
    let runs = [short(), short()];
    for format in FORMATS {
        let made = format.render(&runs);
        assert_eq!(made.is_ok(), format.holds_several(), "{}", format.name);
        if let Err(error) = made {
            assert!(error.to_string().contains(format.name), "{error}");
        }
    }
}

/// The rows of a CSV table by RFC 4180, without the head.
fn rows(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut inside = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if inside && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => inside = !inside,
            ',' if !inside => row.push(std::mem::take(&mut cell)),
            '\r' if !inside => {}
            '\n' if !inside => {
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
fn names_come_back_as_they_were() {
    let run = fixture::hostile();
    let ids: Vec<&str> = run.benches.iter().map(|bench| bench.bench.id.as_str()).collect();
    let (head, rows) = rows(&made("csv", &run));
    let bench = head.iter().position(|name| name == "bench").unwrap();
    assert!(head.contains(&format!("param.{}", fixture::HOSTILE)));
    let cycles = made("cycles", &run);
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    let github: Value = serde_json::from_str(&made("github", &run)).unwrap();
    let json: Value = serde_json::from_str(&made("json", &run)).unwrap();
    for (at, id) in ids.iter().enumerate() {
        assert!(rows.iter().any(|row| row[bench] == *id));
        assert!(cycles.lines().any(|line| serde_json::from_str::<Value>(line).unwrap()["bench"] == *id));
        assert!(bmf.get(*id).is_some(), "{bmf}");
        assert!(github.as_array().unwrap().iter().any(|one| one["name"].as_str().unwrap().starts_with(id)));
        assert_eq!(json["benches"][at]["id"], *id);
    }
}

#[test]
fn nothing_in_a_name_ends_what_holds_it() {
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
fn what_was_not_measured_says_so_beside_every_energy() {
    let run = fixture::on_an_estimate();
    let (head, rows) = rows(&made("csv", &run));
    let at = |name: &str| head.iter().position(|known| known == name).unwrap();
    for row in &rows {
        let energy = row[at("metric")].contains("j_per_") || row[at("unit")] == "W";
        assert_eq!(
            row[at("origin")] == "estimated",
            energy || row[at("metric")].contains("joule") || row[at("unit")] == "J",
            "{row:?}"
        );
        assert_eq!(row[at("value")].is_empty(), row[at("metric")].starts_with("net_"), "{row:?}");
        assert_eq!(row[at("missing")] == "an estimate has no idle", row[at("metric")].starts_with("net_"), "{row:?}");
    }
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    let measures = bmf["decode/batch=1"].as_object().unwrap();
    assert!(measures.contains_key("estimated j_per_output_token") && !measures.contains_key("j_per_output_token"));
    assert!(measures.contains_key("output_tokens_per_s"), "{measures:?}");
    let github: Value = serde_json::from_str(&made("github", &run)).unwrap();
    assert_eq!(github[0]["name"], "decode/batch=1 · j_per_output_token (estimated)");
    let prom = made("openmetrics", &run);
    let energies = prom.lines().filter(|line| line.starts_with("lem_bench_j_per_"));
    assert!(energies.clone().count() >= 2 && energies.clone().all(|line| line.contains("origin=\"estimated\"")));
    assert!(prom.contains("reason=\"an estimate has no idle\"} 1.0"), "{prom}");
    for name in ["junit", "markdown", "json", "cycles"] {
        assert!(made(name, &run).contains("estimated"), "{name}");
    }
}

#[test]
fn what_must_not_be_used_says_so() {
    let run = fixture::on_a_card();
    let bmf: Value = serde_json::from_str(&made("bmf", &run)).unwrap();
    let measures = bmf["decode/batch=1/dtype=f32"].as_object().unwrap();
    assert!(measures.keys().all(|name| name.starts_with("invalid ")), "{measures:?}");
    assert!(bmf.get("broken").is_none());
    let lines = made("bencher", &run);
    assert!(lines.contains("test decode/batch=1/dtype=f32 ... FAILED\n") && lines.contains("test broken ... FAILED\n"));
    let xml = made("junit", &run);
    assert!(xml.contains("<testsuites name=\"lem-bench\" tests=\"6\" failures=\"1\" errors=\"1\""), "{xml}");
    let prom = made("openmetrics", &run);
    let invalid = "bench=\"decode/batch=1/dtype=f32\",status=\"invalid\",outcome=\"completed\"} 0.0";
    assert!(prom.contains(invalid), "{prom}");
    let (head, rows) = rows(&made("csv", &run));
    let at = |name: &str| head.iter().position(|known| known == name).unwrap();
    let broken: Vec<_> = rows.iter().filter(|row| row[at("bench")] == "broken").collect();
    assert_eq!(broken.len(), 1, "a bench without metrics has a row");
    assert_eq!((&*broken[0][at("outcome")], &*broken[0][at("value")]), ("panicked", ""));
    assert!(broken[0][at("missing")].contains("index out of bounds"));
}

#[test]
fn no_number_is_made_of_what_is_none() {
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
fn numbers_are_the_summarys_own_to_the_last_bit() {
    let run = fixture::on_a_card();
    let expected = &run.benches[0].metrics["j_per_output_token"];
    let (head, rows) = rows(&made("csv", &run));
    let at = |name: &str| head.iter().position(|known| known == name).unwrap();
    let row =
        rows.iter().find(|row| row[at("bench")] == run.benches[0].bench.id && row[at("headline")] == "true").unwrap();
    let number = |name: &str| row[at(name)].parse::<f64>().unwrap();
    assert_eq!(Some(number("value")), expected.value);
    assert_eq!(number("high"), expected.interval.as_ref().unwrap().high);
    // 334.9 W over 0.4123 J a token, 64 tokens a request: 78.79 ms a request.
    let line = made("bencher", &run);
    assert!(line.starts_with("test decode/batch=1/dtype=bf16 ... bench:    78791281 ns/iter (+/- 3"), "{line}");
}
