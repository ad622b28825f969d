//! Options by flag, environment and file: precedence, and the reported source of each value.

use std::path::Path;

use crate::support::{Output, call, fixture, run};

/// An option with an environment variable, as shown by `--help`.
#[derive(Debug)]
struct OptionHelp {
    name: String,
    value: Option<String>,
    variables: Vec<String>,
}

/// Parses `--help`.
fn options() -> Vec<OptionHelp> {
    let help = call(&["--help"]).exits_with(0).out;
    let mut options = Vec::new();
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
            options.push(OptionHelp { name, value, variables });
        }
    }
    options
}

/// Returns a valid value for an option, and an invalid one if there is any.
fn samples(option: &OptionHelp) -> (&'static str, Option<&'static str>) {
    match (option.value.as_deref(), &*option.name) {
        (None, _) => ("true", Some("perhaps")),
        (Some("TIME"), _) => ("1500ms", Some("soon")),
        (Some("N"), "nresamples") => ("500", Some("7")),
        (Some("N"), _) => ("7", Some("many")),
        (Some("MIB"), _) => ("64", Some("lots")),
        (Some("LEVEL"), "log") => ("warn", Some("loud=very")),
        (Some("LEVEL"), _) => ("90%", Some("1")),
        (Some("SHARE"), _) => ("2%", Some("2")),
        (Some("t|bootstrap"), _) => ("bootstrap", Some("z")),
        (Some("SEED"), _) => ("11", Some("-1")),
        (Some("WATTS"), _) => ("6.5", Some("0")),
        (Some("FORMAT"), "output-format") => ("bencher", Some("xml")),
        (Some("FORMAT"), _) => ("csv,junit", Some("xml")),
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

/// Returns the value and the source that `--show-config` prints for an option.
#[track_caller]
fn shown(output: &Output, name: &str) -> (String, String) {
    let line = output.lines().into_iter().find(|line| line.split_whitespace().next() == Some(name));
    let Some(line) = line else { panic!("no line for {name} in\n{}", output.out) };
    let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).skip(1);
    (columns.next().unwrap_or_default().to_owned(), columns.next().unwrap_or_default().to_owned())
}

#[test]
fn options_have_environment_variables() {
    let options = options();
    assert!(options.len() > 25, "{options:?}");
    for option in &options {
        let (good, bad) = samples(option);
        for variable in &option.variables {
            let output = run(fixture(&["--show-config"]).env(variable, good)).exits_with(0);
            if option.name != "show-config" {
                // May contain a secret.
                let good = if option.name == "notify" { "(not shown)" } else { good };
                let expected = (good.to_owned(), format!("environment ({variable})"));
                assert_eq!(shown(&output, &option.name), expected, "{variable}");
            }
            if let Some(bad) = bad {
                run(fixture(&["--list"]).env(variable, bad)).exits_with(2).stderr_has(&[
                    variable,
                    &format!("`{bad}`"),
                    "expected ",
                ]);
            }
        }
    }
}

#[test]
fn each_option_has_file_key_and_flag() {
    let folder = tempfile::tempdir().unwrap();
    for option in options().iter().filter(|option| option.name != "show-config") {
        let (good, bad) = samples(option);
        let quoted = |value: &str| if option.value.is_none() { value.to_owned() } else { format!("{value:?}") };
        let path = write(folder.path(), &format!("# one key\n{} = {}\n", option.name, quoted(good)));
        let output = run(fixture(&["--show-config"]).current_dir(folder.path())).exits_with(0);
        let shown_value = if option.name == "notify" { "(not shown)" } else { good };
        assert_eq!(shown(&output, &option.name), (shown_value.to_owned(), format!("file ({path}:2)")));
        if let Some(bad) = bad {
            write(folder.path(), &format!("{} = {:?}\n", option.name, bad));
            let output = run(fixture(&["--list"]).current_dir(folder.path())).exits_with(2);
            output.stderr_has(&[&format!("{path}:1"), &format!("`{bad}`"), &format!("`{}`", option.name)]);
        }
        let flag = match option.value {
            Some(_) => format!("--{}={good}", option.name),
            None => format!("--{}", option.name),
        };
        let output = call(&["--show-config", &flag]).exits_with(0);
        assert_eq!(shown(&output, &option.name), (shown_value.to_owned(), format!("flag (--{})", option.name)));
    }
}

/// Writes a `lem-bench.toml`; returns its path as printed in messages.
fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("lem-bench.toml");
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn precedence_of_sources() {
    let folder = tempfile::tempdir().unwrap();
    let show = |flag: Option<&str>, variable: Option<&str>, file: &str| {
        write(folder.path(), file);
        let mut command = fixture(&["--show-config"]);
        command.current_dir(folder.path()).args(flag);
        if let Some(value) = variable {
            command.env("LEM_BENCH_CYCLES", value);
        }
        run(&mut command).exits_with(0)
    };
    let attribute = "cycles (good/grid)";
    let output = show(None, None, "");
    assert_eq!(shown(&output, "cycles").1, "default");
    assert!(
        output.lines().iter().any(|line| line.starts_with(attribute) && line.ends_with("attribute")),
        "{}",
        output.out
    );
    let output = show(None, None, "cycles = 4");
    assert_eq!(shown(&output, "cycles").0, "4");
    assert!(shown(&output, "cycles").1.starts_with("file ("), "{}", output.out);
    assert!(!output.out.contains(attribute), "{}", output.out);
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
fn reads_nearest_file_up_to_workspace() {
    let top = tempfile::tempdir().unwrap();
    let package = top.path().join("work/one");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(top.path().join("work/Cargo.toml"), "[workspace]\nmembers = [\"one\"]\n").unwrap();
    std::fs::write(package.join("Cargo.toml"), "[package]\nname = \"one\"\n").unwrap();
    write(top.path(), "cycles = 3");
    let cycles = || shown(&run(fixture(&["--show-config"]).current_dir(&package)).exits_with(0), "cycles");
    assert_eq!(cycles().1, "default");
    write(&top.path().join("work"), "cycles = 4");
    assert_eq!(cycles().0, "4");
    write(&package, "cycles = 5");
    assert_eq!(cycles().0, "5");
}

#[test]
fn unknown_key_error_has_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "gap = 1\nmin_windw = 2\n");
    let output = run(fixture(&["--list"]).current_dir(folder.path())).exits_with(2);
    output.stderr_has(&[&format!("{path}:2"), "`min_windw`", "`min-window`"]);
}

#[test]
fn reports_misspelled_variable() {
    run(fixture(&["--list"]).env("LEM_BENCH_CYCELS", "4"))
        .exits_with(0)
        .stderr_has(&["LEM_BENCH_CYCELS", "LEM_BENCH_CYCLES"]);
    let other = run(fixture(&["--list"]).env("LEM_BENCH_MODEL", "/models/llama")).exits_with(0);
    assert_eq!(other.err, "");
}
