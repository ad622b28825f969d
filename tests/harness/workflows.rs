//! Runs every command of the workflow files in `docs/ci`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{clean_command, companion, paths_below, run};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-benches");

/// The machines of a workflow. A shim replaces cargo: `bench` runs the fixture on a simulated machine, `lem` runs the
/// companion, and `install` does nothing.
struct Machines {
    folder: tempfile::TempDir,
    path: String,
}

impl Machines {
    fn with(benches: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/plain.json");
        let shim = format!(
            "#!/bin/sh\nverb=$1; shift\ncase $verb in\n  bench) [ \"$1\" = -- ] && shift; exec '{FIXTURE}' --bench \
             {benches} --quick --meter 'sim:{}' \"$@\" ;;\n  lem) exec '{}' lem \"$@\" ;;\n  install) exit 0 ;;\nesac\n\
             exit 99\n",
            scenario.display(),
            companion().display()
        );
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("cargo"), shim).unwrap();
        std::fs::set_permissions(bin.join("cargo"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        Self { folder, path }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command in a new shell in the workspace; returns its stdout.
    #[track_caller]
    fn shell(&self, line: &str, workspace: &Path) -> String {
        assert!(!line.contains("${{"), "unresolved expression: {line}");
        std::fs::create_dir_all(workspace).unwrap();
        let mut command = clean_command("/bin/sh", &["-ec", line]);
        command.current_dir(workspace).env("PATH", &self.path).env("LEM_BENCH_HOME", workspace.join("energy"));
        command.env("GITHUB_STEP_SUMMARY", self.at("step-summary.md")).env("LEM_BENCH_LOCK_FILE", self.at("lock"));
        let output = run(&mut command);
        assert_eq!(output.code, 0, "{line}\n{}\n{}", output.out, output.err);
        output.out
    }

    fn step_summary(&self) -> String {
        std::fs::read_to_string(self.at("step-summary.md")).unwrap()
    }
}

/// Returns the text of a workflow file and its commands.
fn read(file: &str) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(file)).unwrap();
    let commands: Vec<String> =
        text.lines().filter_map(|line| line.trim().strip_prefix("run: ")).map(str::to_owned).collect();
    assert_eq!(text.matches("run:").count(), commands.len(), "{file} has a multi-line command");
    (text, commands)
}

/// Runs the commands of a file with one job; returns their outputs.
fn job(file: &str) -> Vec<String> {
    let machines = Machines::with("--exact good/decode");
    let (text, commands) = read(file);
    let outputs = commands.iter().map(|line| machines.shell(line, machines.folder.path())).collect();
    let summary = machines.step_summary();
    assert!(summary.contains("| `good/decode`"), "{summary}");
    if text.contains("--output energy-report") {
        for file in ["index.html", "junit.xml"] {
            assert!(paths_below(&machines.at("energy-report")).iter().any(|path| path.ends_with(file)), "{file}");
        }
    }
    outputs
}

#[test]
fn single_machine_jobs_compare() {
    let outputs = job("energy-cpu.yml");
    assert!(outputs.iter().any(|out| out.contains("compared with base")), "{outputs:?}");
    let outputs = job("energy-gpu.yml");
    assert!(outputs.iter().any(|out| out.contains("compared with main")), "{outputs:?}");
}

#[test]
fn shard_jobs_are_merged() {
    const SHARD: &str = "${{ matrix.shard }}";
    let machines = Machines::with("good/");
    let (text, commands) = read("energy-shards.yml");
    let matrix = text.lines().find_map(|line| line.trim().strip_prefix("shard: [")?.strip_suffix(']')).unwrap();
    let (of_shards, of_all): (Vec<_>, Vec<_>) = commands.iter().partition(|line| line.contains(SHARD));
    assert!(of_shards.len() == 1 && of_all.len() > 1, "{commands:?}");
    for shard in matrix.split(", ") {
        let workspace = machines.at(&format!("machine-{shard}"));
        machines.shell(&of_shards[0].replace(SHARD, shard), &workspace);
        // The upload and download actions copy `energy` of each machine to `parts/energy-<shard>` without hidden files.
        let paths = paths_below(&workspace);
        let is_hidden = |path: &String| path[workspace.to_str().unwrap().len()..].contains("/.");
        assert!(!paths.iter().any(is_hidden), "{paths:?}");
        std::fs::create_dir_all(machines.at("last/parts")).unwrap();
        std::fs::rename(workspace.join("energy"), machines.at(&format!("last/parts/energy-{shard}"))).unwrap();
    }
    for line in of_all {
        machines.shell(line, &machines.at("last"));
    }
    let merged = std::fs::read(machines.at("last/merged/summary.json")).unwrap();
    let merged: Value = serde_json::from_slice(&merged).unwrap();
    let ids: Vec<&str> =
        merged["benches"].as_array().unwrap().iter().map(|bench| bench["id"].as_str().unwrap()).collect();
    let grid = ["batch=1,dtype=f32", "batch=1,dtype=a%2Fb", "batch=4,dtype=f32", "batch=4,dtype=a%2Fb"];
    assert_eq!(ids.len(), 1 + grid.len(), "{ids:?}");
    let summary = machines.step_summary();
    assert!(
        summary.starts_with("```\n") && summary.ends_with("\n```\n"),
        "the table is not in a code block: {summary}"
    );
    for id in ids {
        assert!(summary.contains(&format!("| `{id}`")), "{id}: {summary}");
    }
}
