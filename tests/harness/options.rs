//! Options: every one by flag, environment and file, the order of the layers, and where each value came from.

use std::path::Path;

use crate::support::{Ran, call, fixture, run};

/// An option that has a twin, as the help shows it.
#[derive(Debug)]
struct Twin {
    name: String,
    value: Option<String>,
    variables: Vec<String>,
}

/// Reads the help: what it shows is all that a user can know.
fn twins() -> Vec<Twin> {
    let help = call(&["--help"]).ends_with(0).out;
    let mut twins = Vec::new();
    let mut head = "";
    for line in help.lines() {
        let line = line.trim();
        if let Some(at) = line.find("--").filter(|at| *at == 0 || line.starts_with('-')) {
            head = &line[at + 2..];
        }
        if let Some((_, rest)) = line.split_once("[env: ") {
            let variables = rest.split(']').next().unwrap().split(", ").map(str::to_owned).collect();
            let name: String = head.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            let value = head[name.len()..].trim_start().strip_prefix('<');
            let value = value.map(|rest| rest.split('>').next().unwrap().to_owned());
            twins.push(Twin { name, value, variables });
        }
    }
    twins
}

/// A value that an option with this name for its value takes, and one that it refuses.
fn samples(twin: &Twin) -> (&'static str, Option<&'static str>) {
    match (twin.value.as_deref(), &*twin.name) {
        (None, _) => ("true", Some("perhaps")),
        (Some("TIME"), _) => ("1500ms", Some("soon")),
        (Some("N"), "nresamples") => ("500", Some("7")),
        (Some("N"), _) => ("7", Some("many")),
        (Some("LEVEL"), "log") => ("warn", Some("loud=very")),
        (Some("LEVEL"), _) => ("90%", Some("1")),
        (Some("SHARE"), _) => ("2%", Some("2")),
        (Some("t|bootstrap"), _) => ("bootstrap", Some("z")),
        (Some("SEED"), _) => ("11", Some("-1")),
        (Some("WATTS"), _) => ("6.5", Some("0")),
        (Some("FORMAT"), "output-format") => ("bencher", Some("xml")),
        (Some("FORMAT"), _) => ("csv,junit", Some("yaml")),
        (Some("K/N"), _) => ("1/4", Some("5/4")),
        (Some("URL"), _) => ("https://hooks.example.org/T0", Some("nowhere")),
        (Some("ORDER"), _) => ("interleaved", Some("random")),
        (Some("WHEN"), _) => ("never", Some("sometimes")),
        (Some("PROFILE"), _) => ("publish", Some("slow")),
        (Some("METER"), _) => ("estimate", Some("gpu")),
        (Some("fail|warn"), _) => ("warn", Some("ignore")),
        (Some("AXIS=VALUE,VALUE"), _) => ("batch=2,8", Some("batch")),
        (Some("KEY=VALUE"), _) => ("room=22C", Some("room")),
        (Some("NAME"), _) => ("main", None),
        (Some("CHANGE"), _) => ("2%", Some("much")),
        (Some("METRIC"), _) => ("j_per_request", None),
        (Some("VERDICT"), _) => ("inconclusive", Some("worse")),
        (Some("FILTER" | "DOMAIN" | "FILE" | "FOLDER"), _) => ("some/thing", None),
        (value, name) => panic!("no sample for --{name} <{value:?}>: add one"),
    }
}

/// The value and the source that `--show-config` tells for an option.
#[track_caller]
fn shown(ran: &Ran, name: &str) -> (String, String) {
    let line = ran.lines().into_iter().find(|line| line.split_whitespace().next() == Some(name));
    let Some(line) = line else { panic!("no line for {name} in\n{}", ran.out) };
    let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).skip(1);
    (columns.next().unwrap_or_default().to_owned(), columns.next().unwrap_or_default().to_owned())
}

#[test]
fn every_option_has_a_twin_in_the_environment() {
    let twins = twins();
    assert!(twins.len() > 25, "{twins:?}");
    for twin in &twins {
        let (good, bad) = samples(twin);
        for variable in &twin.variables {
            let ran = run(fixture(&["--show-config"]).env(variable, good)).ends_with(0);
            if twin.name != "show-config" {
                // What may hold a secret is not shown.
                let good = if twin.name == "notify" { "(not shown)" } else { good };
                let expected = (good.to_owned(), format!("environment ({variable})"));
                assert_eq!(shown(&ran, &twin.name), expected, "{variable}");
            }
            if let Some(bad) = bad {
                run(fixture(&["--list"]).env(variable, bad)).ends_with(2).says(&[
                    variable,
                    &format!("`{bad}`"),
                    "expected ",
                ]);
            }
        }
    }
}

#[test]
fn every_option_is_a_key_of_the_file_and_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    for twin in twins().iter().filter(|twin| twin.name != "show-config") {
        let (good, bad) = samples(twin);
        let quoted = |value: &str| if twin.value.is_none() { value.to_owned() } else { format!("{value:?}") };
        let path = write(folder.path(), &format!("# one key\n{} = {}\n", twin.name, quoted(good)));
        let ran = run(fixture(&["--show-config"]).current_dir(folder.path())).ends_with(0);
        let told = if twin.name == "notify" { "(not shown)" } else { good };
        assert_eq!(shown(&ran, &twin.name), (told.to_owned(), format!("file ({path}:2)")));
        if let Some(bad) = bad {
            write(folder.path(), &format!("{} = {:?}\n", twin.name, bad));
            let ran = run(fixture(&["--list"]).current_dir(folder.path())).ends_with(2);
            ran.says(&[&format!("{path}:1"), &format!("`{bad}`"), &format!("`{}`", twin.name)]);
        }
        let flag = match twin.value {
            Some(_) => format!("--{}={good}", twin.name),
            None => format!("--{}", twin.name),
        };
        let ran = call(&["--show-config", &flag]).ends_with(0);
        assert_eq!(shown(&ran, &twin.name), (told.to_owned(), format!("flag (--{})", twin.name)));
    }
}

/// Writes a `lem-bench.toml` into a folder of its own package; returns its path as it is told.
fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("lem-bench.toml");
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn flag_beats_environment_beats_file_beats_attribute_beats_default() {
    let folder = tempfile::tempdir().unwrap();
    let show = |flag: Option<&str>, variable: Option<&str>, file: &str| {
        write(folder.path(), file);
        let mut command = fixture(&["--show-config"]);
        command.current_dir(folder.path()).args(flag);
        if let Some(value) = variable {
            command.env("LEM_BENCH_CYCLES", value);
        }
        run(&mut command).ends_with(0)
    };
    let attribute = "cycles (good/grid)";
    let ran = show(None, None, "");
    assert_eq!(shown(&ran, "cycles").1, "default");
    assert!(ran.lines().iter().any(|line| line.starts_with(attribute) && line.ends_with("attribute")), "{}", ran.out);
    let ran = show(None, None, "cycles = 4");
    assert_eq!(shown(&ran, "cycles").0, "4");
    assert!(shown(&ran, "cycles").1.starts_with("file ("), "{}", ran.out);
    assert!(!ran.out.contains(attribute), "{}", ran.out);
    assert_eq!(
        shown(&show(None, Some("5"), "cycles = 4"), "cycles"),
        ("5".into(), "environment (LEM_BENCH_CYCLES)".into())
    );
    assert_eq!(
        shown(&show(Some("--cycles=6"), Some("5"), "cycles = 4"), "cycles"),
        ("6".into(), "flag (--cycles)".into())
    );
    assert_eq!(shown(&show(Some("--sample-size=7"), None, ""), "cycles").0, "7");
}

#[test]
fn the_nearest_file_up_to_the_workspace_is_read() {
    let top = tempfile::tempdir().unwrap();
    let package = top.path().join("work/one");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(top.path().join("work/Cargo.toml"), "[workspace]\nmembers = [\"one\"]\n").unwrap();
    std::fs::write(package.join("Cargo.toml"), "[package]\nname = \"one\"\n").unwrap();
    write(top.path(), "cycles = 3");
    let cycles = || shown(&run(fixture(&["--show-config"]).current_dir(&package)).ends_with(0), "cycles");
    assert_eq!(cycles().1, "default");
    write(&top.path().join("work"), "cycles = 4");
    assert_eq!(cycles().0, "4");
    write(&package, "cycles = 5");
    assert_eq!(cycles().0, "5");
}

#[test]
fn an_unknown_key_names_file_line_key_and_its_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "gap = 1\nmin_windw = 2\n");
    let ran = run(fixture(&["--list"]).current_dir(folder.path())).ends_with(2);
    ran.says(&[&format!("{path}:2"), "`min_windw`", "`min-window`"]);
}

#[test]
fn a_slip_in_a_variable_is_told() {
    run(fixture(&["--list"]).env("LEM_BENCH_CYCELS", "4")).ends_with(0).says(&["LEM_BENCH_CYCELS", "LEM_BENCH_CYCLES"]);
    let other = run(fixture(&["--list"]).env("LEM_BENCH_MODEL", "/models/llama")).ends_with(0);
    assert_eq!(other.err, "");
}
