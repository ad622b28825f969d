//! Every command of the workflow files in `docs/ci`, as their runner would give it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{below, clean, companion, run};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-benches");

/// Machines of a workflow: `cargo bench` is the fixture with some of its benches on a simulated machine, `cargo lem` the
/// companion, and to install it is nothing.
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

    /// What a command says, given in a shell of its own in the workspace of this machine.
    #[track_caller]
    fn shell(&self, line: &str, workspace: &Path) -> String {
        assert!(!line.contains("${{"), "nobody has put in what it needs: {line}");
        std::fs::create_dir_all(workspace).unwrap();
        let mut command = clean("/bin/sh", &["-ec", line]);
        command.current_dir(workspace).env("PATH", &self.path).env("LEM_BENCH_HOME", workspace.join("energy"));
        command.env("GITHUB_STEP_SUMMARY", self.at("step-summary.md")).env("LEM_BENCH_LOCK_FILE", self.at("lock"));
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{line}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    fn step_summary(&self) -> String {
        std::fs::read_to_string(self.at("step-summary.md")).unwrap()
    }
}

/// A workflow file and its commands.
fn read(file: &str) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(file)).unwrap();
    let commands: Vec<String> =
        text.lines().filter_map(|line| line.trim().strip_prefix("run: ")).map(str::to_owned).collect();
    assert_eq!(text.matches("run:").count(), commands.len(), "{file} has a command of several lines");
    (text, commands)
}

/// Gives the commands of a file of one job, one after the other.
fn job(file: &str) -> Vec<String> {
    let machines = Machines::with("--exact good/decode");
    let (text, commands) = read(file);
    let told = commands.iter().map(|line| machines.shell(line, machines.folder.path())).collect();
    let summary = machines.step_summary();
    assert!(summary.contains("| `good/decode`"), "{summary}");
    if text.contains("--output energy-report") {
        for file in ["index.html", "junit.xml"] {
            assert!(below(&machines.at("energy-report")).iter().any(|path| path.ends_with(file)), "{file}");
        }
    }
    told
}

#[test]
fn a_job_on_one_machine_measures_and_compares() {
    let told = job("energy-cpu.yml");
    assert!(told.iter().any(|out| out.contains("compared with base")), "{told:?}");
    let told = job("energy-gpu.yml");
    assert!(told.iter().any(|out| out.contains("compared with main")), "{told:?}");
}

#[test]
fn shards_on_four_machines_are_merged_into_all_benches() {
    const SHARD: &str = "${{ matrix.shard }}";
    let machines = Machines::with("good/");
    let (text, commands) = read("energy-shards.yml");
    let matrix = text.lines().find_map(|line| line.trim().strip_prefix("shard: [")?.strip_suffix(']')).unwrap();
    let (of_shards, of_all): (Vec<_>, Vec<_>) = commands.iter().partition(|line| line.contains(SHARD));
    assert!(of_shards.len() == 1 && of_all.len() > 1, "{commands:?}");
    for shard in matrix.split(", ") {
        let workspace = machines.at(&format!("machine-{shard}"));
        machines.shell(&of_shards[0].replace(SHARD, shard), &workspace);
        // The two actions bring `energy` of each machine to `parts/energy-<shard>`, but what is hidden.
        let kept = below(&workspace);
        let is_hidden = |path: &String| path[workspace.to_str().unwrap().len()..].contains("/.");
        assert!(!kept.iter().any(is_hidden), "{kept:?}");
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
        "a terminal's columns are no prose: {summary}"
    );
    for id in ids {
        assert!(summary.contains(&format!("| `{id}`")), "{id}: {summary}");
    }
}
