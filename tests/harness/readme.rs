//! The first example of the README: its code is the code here, and its output has the printed form.

use crate::support::{clean_command, run};

#[test]
fn readme_has_the_tested_example() {
    let code = include_str!("../fixture/readme.rs").split_once("\n\n").unwrap().1;
    assert!(include_str!("../../README.md").contains(&format!("```rust\n{code}```\n")), "update the README");
}

#[test]
fn example_prints_energy_per_token() {
    let home = tempfile::tempdir().unwrap();
    let short = ["--bench", "--meter", "estimate", "--cycles", "3", "--min-window", "60ms", "--warm-up-time", "60ms"];
    let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-readme"), &short);
    command.args(["--gap", "5ms", "--lock-file"]).arg(home.path().join("lock"));
    // Wide enough that no line is wrapped.
    command.env("LEM_BENCH_HOME", home.path().join("home")).env("COLUMNS", "200");
    let output = run(&mut command);
    let out = output.out.split("\nHighlights").next().unwrap();
    let is_finding =
        |line: &&str| ["  !", "      →", "    note", "!", "note"].iter().any(|start| line.starts_with(start));
    let lines: Vec<&str> = out.lines().filter(|line| !is_finding(line)).collect();
    insta::with_settings!({filters => vec![
        (r" \[[^\]]+\]", ""),
        (r" · mean [\d.]+ [mµn]?s", ""),
        (r" ±\S+ %", ""),
        (r" indicative", ""),
        (r"\d[\d.,]*", "#"),
        (r" [mµn]?(J|s)\b", " $1"),
        (r"(valid|warning|invalid)", "STATUS"),
        (r" +", " "),
        (r"-+", "-"),
        (r"(# STATUS(, )?)+", "# STATUS"),
        (r"\n\n+", "\n\n"),
    ]}, {
        insta::assert_snapshot!(lines.join("\n"));
    });
}
