//! Baselines: results saved under a name, to compare with.
//!
//! ```text
//! <home>/baselines/main-0a1b2c3d4e5f/
//!     manifest.json                              the name, and the file with each bench's result
//!     2026-11-23T14-05-33Z-a1b2.json             the summary of a run, as it was when it was saved
//! ```
//! A baseline exists if its manifest can be read; a folder alone is not a baseline. It contains results of any number of
//! bench targets. Saving replaces the benches that were measured and keeps the others, also those of other targets with
//! the same id.

use std::fs::{self, File, create_dir_all};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::home::Home;
use super::naming::{RunId, slug};
use super::run_dir::{ensure_regular_file, refuse_links, write_atomic};
use crate::fs::{FileLock, FileLockError};
use crate::model::{BenchTarget, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION};

const MANIFEST: &str = "manifest.json";
/// Largest manifest that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// The contents of a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineManifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The baseline's name, as given by the user.
    pub name: String,
    /// When it was last saved, in seconds since 1970.
    pub saved_unix_s: f64,
    /// The benches, in the order in which they were first saved.
    pub benches: Vec<BaselineBench>,
}

/// The run that contains a bench's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineBench {
    /// The bench's id.
    pub id: String,
    /// The name of its bench target; `None` in manifests of older versions.
    #[serde(default)]
    pub target: Option<String>,
    /// The package of its bench target, where it is known.
    #[serde(default)]
    pub package: Option<String>,
    /// The run's id, which is also the name of the file with its summary.
    pub run_id: String,
}

impl BaselineBench {
    /// Returns whether the bench can be of this target: an older manifest does not name it.
    fn may_be_of(&self, target: &BenchTarget) -> bool {
        let own = self.target.clone().map(|name| BenchTarget { package: self.package.clone(), name });
        own.is_none_or(|own| own.may_be(target))
    }
}

/// An existing baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    folder: PathBuf,
    manifest: BaselineManifest,
}

/// A run's summary to save.
#[derive(Debug, Clone, Copy)]
pub struct BaselineRun<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The bench target that it measured.
    pub target: &'a BenchTarget,
    /// The ids of the benches to take from it.
    pub benches: &'a [String],
    /// The summary, as JSON.
    pub json: &'a [u8],
}

impl Baseline {
    /// Returns the baseline of this name; `None` when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::BadBaselineName`], [`StoreError::Damaged`] when its manifest is not valid, [`StoreError::Schema`],
    /// [`StoreError::NotARegularFile`] or [`StoreError::Io`].
    pub fn find(home: &Home, name: &str) -> Result<Option<Self>, StoreError> {
        check_name(name)?;
        let folder = folder_of(home, name);
        refuse_links(&folder)?;
        match read_small(&folder.join(MANIFEST))? {
            None => Ok(None),
            Some(bytes) => Self::parse(folder, &bytes).map(Some),
        }
    }

    fn parse(folder: PathBuf, bytes: &[u8]) -> Result<Self, StoreError> {
        let path = folder.join(MANIFEST);
        let damaged = |why: String| StoreError::Damaged { path: path.clone(), why };
        let manifest: BaselineManifest = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        let found = manifest.schema_version;
        if !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).contains(&found) {
            return Err(StoreError::Schema { path, found, known: SCHEMA_VERSION });
        }
        if slug(&manifest.name) != folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default() {
            return Err(damaged(format!("its name is {:?}, which belongs in another folder", manifest.name)));
        }
        // Run ids are used as file names, so they must not lead out of the folder.
        for bench in &manifest.benches {
            RunId::parse(&bench.run_id)?;
        }
        Ok(Self { folder, manifest })
    }

    /// Returns all baselines by name, and one message for each that cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder of baselines cannot be read. If it does not exist, the list is empty.
    pub fn list(home: &Home) -> Result<(Vec<Self>, Vec<String>), StoreError> {
        let baselines = baselines_folder(home);
        let entries = match fs::read_dir(&baselines) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            entries => entries.map_err(StoreError::io("read", &baselines))?,
        };
        let (mut found, mut damage) = (Vec::new(), Vec::new());
        for entry in entries {
            let folder = entry.map_err(StoreError::io("read", &baselines))?.path();
            match refuse_links(&folder).and_then(|()| read_small(&folder.join(MANIFEST))) {
                Ok(None) => {}
                Ok(Some(bytes)) => match Self::parse(folder, &bytes) {
                    Ok(baseline) => found.push(baseline),
                    Err(error) => damage.push(error.to_string()),
                },
                // A file among the folders is not a baseline.
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotADirectory => {}
                Err(error) => damage.push(error.to_string()),
            }
        }
        found.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name));
        Ok((found, damage))
    }

    /// Saves a run under a name: its benches replace those with the same ids and bench target, the others are kept.
    ///
    /// # Errors
    /// As [`Baseline::find`] and [`write_atomic`]. A damaged manifest is replaced.
    pub fn save(home: &Home, name: &str, run: &BaselineRun<'_>, saved_unix_s: f64) -> Result<Self, StoreError> {
        check_name(name)?;
        RunId::parse(run.run_id)?;
        let folder = folder_of(home, name);
        refuse_links(&folder)?;
        create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let _lock = lock(&baselines_folder(home))?;
        let old = match Self::find(home, name) {
            Ok(old) => old.map(|old| old.manifest.benches).unwrap_or_default(),
            Err(StoreError::Damaged { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        write_atomic(&summary_path(&folder, run.run_id), run.json)?;
        let mut benches = old;
        for id in run.benches {
            let BenchTarget { package, name } = run.target.clone();
            let new = BaselineBench { id: id.clone(), target: Some(name), package, run_id: run.run_id.to_owned() };
            match benches.iter_mut().find(|bench| bench.id == *id && bench.may_be_of(run.target)) {
                Some(known) => *known = new,
                None => benches.push(new),
            }
        }
        let manifest =
            BaselineManifest { schema_version: SCHEMA_VERSION, name: name.to_owned(), saved_unix_s, benches };
        let json = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| StoreError::Damaged { path: folder.join(MANIFEST), why: error.to_string() })?;
        write_atomic(&folder.join(MANIFEST), &json)?;
        let saved = Self { folder, manifest };
        saved.remove_unused_summaries();
        Ok(saved)
    }

    /// Removes the summaries that no bench refers to. Best effort: a leftover file only takes up disk space.
    fn remove_unused_summaries(&self) {
        let used: Vec<PathBuf> = self.runs().iter().map(|run| summary_path(&self.folder, run)).collect();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            if is_json && !path.ends_with(MANIFEST) && !used.contains(&path) {
                drop(fs::remove_file(path));
            }
        }
    }

    /// Removes the baseline: first the manifest, without which it does not exist, then its folder.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be removed.
    pub fn remove(self) -> Result<(), StoreError> {
        let manifest = self.folder.join(MANIFEST);
        fs::remove_file(&manifest).map_err(StoreError::io("remove", &manifest))?;
        fs::remove_dir_all(&self.folder).map_err(StoreError::io("remove", &self.folder))
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> &BaselineManifest {
        &self.manifest
    }

    /// Returns the folder.
    #[cfg(test)]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the ids of the runs that contain its benches, each once.
    pub fn runs(&self) -> Vec<&str> {
        let mut runs: Vec<&str> = Vec::new();
        for bench in &self.manifest.benches {
            if !runs.contains(&bench.run_id.as_str()) {
                runs.push(&bench.run_id);
            }
        }
        runs
    }

    /// Returns the ids of the benches taken from a run.
    pub fn benches_of(&self, run_id: &str) -> Vec<&str> {
        self.manifest.benches.iter().filter(|bench| bench.run_id == run_id).map(|bench| bench.id.as_str()).collect()
    }

    /// Returns the path of the summary of one of its runs.
    pub fn summary_file(&self, run_id: &str) -> PathBuf {
        summary_path(&self.folder, run_id)
    }
}

fn baselines_folder(home: &Home) -> PathBuf {
    home.path().join("baselines")
}

fn folder_of(home: &Home, name: &str) -> PathBuf {
    baselines_folder(home).join(slug(name))
}

fn summary_path(folder: &Path, run_id: &str) -> PathBuf {
    folder.join(format!("{run_id}.json"))
}

/// Accepts any name that a person can read and type, such as a branch name. The folder gets a slug of it.
fn check_name(name: &str) -> Result<(), StoreError> {
    let why = if name.trim().is_empty() {
        "it is empty"
    } else if name.len() > MAX_NAME_BYTES {
        "it is longer than 200 bytes"
    } else if name.chars().any(char::is_control) {
        "it contains a control character"
    } else if name.starts_with('-') {
        "it begins with `-`, like an option"
    } else {
        return Ok(());
    };
    Err(StoreError::BadBaselineName { text: name.chars().take(120).collect(), why })
}

/// Prevents two processes from saving at the same time.
fn lock(folder: &Path) -> Result<FileLock, StoreError> {
    let path = folder.join(".lock");
    ensure_regular_file(&path)?;
    FileLock::acquire(&path).map_err(|error| match error {
        FileLockError::Open(source) => StoreError::io("create", &path)(source),
        FileLockError::Lock(source) => StoreError::io("lock", &path)(source),
    })
}

/// Returns the bytes of a file, up to [`MAX_FILE_BYTES`]; `None` when it does not exist.
fn read_small(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    ensure_regular_file(path)?;
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(StoreError::io("read", path))?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("lem-bench"));
        (folder, home)
    }

    fn save(home: &Home, name: &str, run_id: &str, benches: &[&str]) -> Result<Baseline, StoreError> {
        save_of("alpha", home, name, run_id, benches)
    }

    fn save_of(package: &str, home: &Home, name: &str, run_id: &str, benches: &[&str]) -> Result<Baseline, StoreError> {
        let target = BenchTarget { package: Some(package.to_owned()), name: "energy".to_owned() };
        let benches: Vec<String> = benches.iter().map(|id| (*id).to_owned()).collect();
        let json = format!("{{\"run\":\"{run_id}\"}}");
        Baseline::save(
            home,
            name,
            &BaselineRun { run_id, target: &target, benches: &benches, json: json.as_bytes() },
            1e9,
        )
    }

    #[test]
    fn baseline_exists_with_its_manifest() {
        let (_folder, home) = home();
        assert_eq!(Baseline::find(&home, "main").unwrap(), None);
        create_dir_all(folder_of(&home, "main")).unwrap();
        assert_eq!(Baseline::find(&home, "main").unwrap(), None, "a folder is not a baseline");
        let saved = save(&home, "main", "run-1", &["a", "b"]).unwrap();
        assert_eq!(Baseline::find(&home, "main").unwrap(), Some(saved.clone()));
        assert_eq!(fs::read(saved.summary_file("run-1")).unwrap(), b"{\"run\":\"run-1\"}");
        fs::remove_file(saved.folder().join(MANIFEST)).unwrap();
        assert_eq!(Baseline::find(&home, "main").unwrap(), None);
    }

    #[test]
    fn save_replaces_benches_and_removes_unused_summaries() {
        let (_folder, home) = home();
        save(&home, "main", "run-1", &["a", "b"]).unwrap();
        let two = save(&home, "main", "run-2", &["b", "c"]).unwrap();
        assert_eq!((two.runs(), two.benches_of("run-2")), (vec!["run-1", "run-2"], vec!["b", "c"]));
        let three = save(&home, "main", "run-3", &["a", "b"]).unwrap();
        assert_eq!(three.runs(), ["run-3", "run-2"]);
        assert!(!three.summary_file("run-1").exists() && three.summary_file("run-2").exists());
        three.remove().unwrap();
        assert_eq!(Baseline::list(&home).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn save_keeps_results_of_other_packages() {
        let (_folder, home) = home();
        save_of("alpha", &home, "main", "run-1", &["sum"]).unwrap();
        save_of("beta", &home, "main", "run-2", &["sum"]).unwrap();
        let both = save_of("beta", &home, "main", "run-3", &["sum"]).unwrap();
        assert_eq!((both.runs(), both.benches_of("run-1")), (vec!["run-1", "run-3"], vec!["sum"]));
        assert!(both.summary_file("run-1").exists() && !both.summary_file("run-2").exists());
        // An older manifest does not name the target.
        let manifest = both.folder().join(MANIFEST);
        let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
        for bench in json["benches"].as_array_mut().unwrap() {
            bench.as_object_mut().unwrap().retain(|key, _| matches!(key.as_str(), "id" | "run_id"));
        }
        fs::write(&manifest, json.to_string()).unwrap();
        assert_eq!(Baseline::find(&home, "main").unwrap().unwrap().runs(), ["run-1", "run-3"]);
        assert_eq!(save_of("beta", &home, "main", "run-4", &["sum"]).unwrap().runs(), ["run-4", "run-3"]);
    }

    #[test]
    fn hostile_names_stay_in_home() {
        let (outer, home) = home();
        for name in ["../../etc", "a/b", "..", ".", "C:\\x", "Main", "main", "解码", "a b", "nul"] {
            let saved = save(&home, name, "run", &["a"]).unwrap();
            assert_eq!(saved.folder().parent().unwrap(), baselines_folder(&home), "{name}");
            assert_eq!(Baseline::find(&home, name).unwrap().unwrap().manifest().name, name);
        }
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
        assert_eq!(Baseline::list(&home).unwrap().0.len(), 10);
        for bad in ["", "  ", "a\nb", "a\0", "--baseline", &"x".repeat(201)] {
            assert!(matches!(save(&home, bad, "run", &[]), Err(StoreError::BadBaselineName { .. })), "{bad:?}");
            assert!(Baseline::find(&home, bad).is_err(), "{bad:?}");
        }
        assert!(matches!(save(&home, "main", "../run", &["a"]), Err(StoreError::BadRunId { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn does_not_follow_links() {
        let (outer, home) = home();
        let saved = save(&home, "main", "run", &["a"]).unwrap();
        let elsewhere = outer.path().join("elsewhere");
        fs::rename(saved.folder(), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, saved.folder()).unwrap();
        let before = fs::read_dir(&elsewhere).unwrap().count();
        assert!(matches!(Baseline::find(&home, "main"), Err(StoreError::NotARegularFile { .. })));
        assert!(matches!(save(&home, "main", "other", &["a"]), Err(StoreError::NotARegularFile { .. })));
        let (found, damage) = Baseline::list(&home).unwrap();
        assert_eq!((found.len(), damage.len()), (0, 1), "{damage:?}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), before);
    }

    #[test]
    fn reports_invalid_manifests() {
        let (_folder, home) = home();
        let saved = save(&home, "main", "run", &["a"]).unwrap();
        let manifest = saved.folder().join(MANIFEST);
        let text = fs::read_to_string(&manifest).unwrap();
        for (from, to) in [("\"run\"", "\"../../run\""), ("\"main\"", "\"other\""), ("{", "["), ("3,", "99,")] {
            fs::write(&manifest, text.replacen(from, to, 1)).unwrap();
            assert!(Baseline::find(&home, "main").is_err(), "{to}");
            let (found, damage) = Baseline::list(&home).unwrap();
            assert_eq!((found.len(), damage.len()), (0, 1), "{to}");
        }
        fs::write(&manifest, "no json").unwrap();
        assert!(Baseline::find(&home, "main").unwrap_err().to_string().contains("manifest.json is damaged"));
        save(&home, "main", "run", &["a"]).unwrap();
        assert!(Baseline::find(&home, "main").unwrap().is_some(), "saving again repairs it");
    }
}
