//! Run folders: creating, finding and listing them, copying journals, and atomic writes that refuse to follow links.

use std::collections::BTreeSet;
use std::fs::{self, File, create_dir, create_dir_all, read_dir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::home::Home;
use super::naming::{JournalName, RunId, slug};
use crate::fs as files;
use crate::model::BenchTarget;

/// The folder of one run: `<home>/runs/<run id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    id: RunId,
    path: PathBuf,
}

/// The latest run of a bench target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestRun {
    /// The target, as `package/target`.
    pub target: String,
    /// An id of the `cargo bench` that started the run, where it is known.
    pub command: Option<String>,
    /// The run.
    pub run: RunDir,
}

impl RunDir {
    /// Creates the folder of a new run, named after the present date.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be created.
    pub fn create(home: &Home) -> Result<Self, StoreError> {
        loop {
            match Self::create_new(home, RunId::now()) {
                // Another process began in the same second with the same random digits.
                Err(StoreError::Exists { .. }) => {}
                other => return other,
            }
        }
    }

    /// Creates the folder of a run whose name must be new.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when a run of that name exists, [`StoreError::Io`] when the folder cannot be created.
    pub fn create_new(home: &Home, id: RunId) -> Result<Self, StoreError> {
        let runs = home.runs();
        create_dir_all(&runs).map_err(StoreError::io("create", &runs))?;
        let path = runs.join(id.as_str());
        match create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(StoreError::Exists { path }),
            Err(error) => return Err(StoreError::io("create", &path)(error)),
        }
        sync_folder(&runs)?;
        sync_folder(home.path())?;
        Ok(Self { id, path })
    }

    /// Returns the folder of a run that several processes share (the ranks of a launcher, the processes of one nextest
    /// run). The first of them creates it.
    ///
    /// # Errors
    /// [`StoreError::NotARegularFile`] when the path is not a folder (a symbolic link is not followed),
    /// [`StoreError::Io`] when it cannot be created.
    pub fn join(home: &Home, id: RunId) -> Result<Self, StoreError> {
        match Self::create_new(home, id.clone()) {
            Err(StoreError::Exists { path }) => {
                let file_type = fs::symlink_metadata(&path).map_err(StoreError::io("look at", &path))?.file_type();
                match file_type {
                    found if found.is_dir() => Ok(Self { id, path }),
                    found if found.is_symlink() => Err(StoreError::NotARegularFile { path, what: "a symbolic link" }),
                    _ => Err(StoreError::NotARegularFile { path, what: "not a folder" }),
                }
            }
            other => other,
        }
    }

    /// Returns the folder of an existing run; `None` when it does not exist or is a symbolic link.
    pub fn find(home: &Home, id: RunId) -> Option<Self> {
        let path = home.runs().join(id.as_str());
        fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()).then_some(Self { id, path })
    }

    /// Returns all runs, sorted by name (those named after a date: oldest first). Skips everything whose name is not a
    /// valid run id.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder cannot be read. If it does not exist, the list is empty.
    pub fn list(home: &Home) -> Result<Vec<Self>, StoreError> {
        let runs = home.runs();
        let entries = match read_dir(&runs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(StoreError::io("read", &runs))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("read", &runs))?;
            let id = entry.file_name().to_str().and_then(|name| RunId::parse(name).ok());
            found.extend(id.and_then(|id| Self::find(home, id)));
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Records this run as the latest, in the home's file `latest`, and as that of its bench target, in a file of the
    /// folder `latest-by-target`, with an id of the `cargo bench` that started it.
    ///
    /// # Errors
    /// As [`write_atomic`], or [`StoreError::Io`] when the folder cannot be created.
    pub fn mark_latest(&self, home: &Home, target: &BenchTarget, command: Option<&str>) -> Result<(), StoreError> {
        let folder = latest_by_target(home);
        refuse_links(&folder)?;
        create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let full = target.to_string();
        let text = format!("{}\n{full}\n{}\n", self.id, command.unwrap_or_default());
        write_atomic(&folder.join(slug(&full)), text.as_bytes())?;
        write_atomic(&home.path().join("latest"), format!("{}\n", self.id).as_bytes())
    }

    /// Returns the run that was last marked as the latest; `None` when no run was marked or its folder does not exist.
    ///
    /// # Errors
    /// [`StoreError::NotARegularFile`] or [`StoreError::Io`] when `latest` exists and cannot be read,
    /// [`StoreError::BadRunId`] when it does not contain a valid run id.
    pub fn latest(home: &Home) -> Result<Option<Self>, StoreError> {
        match read_mark(&home.path().join("latest"))? {
            Some(text) => Ok(Self::find(home, RunId::parse(text.trim())?)),
            None => Ok(None),
        }
    }

    /// Returns the latest run of each bench target, sorted by target. Marks that cannot be read, and those of runs whose
    /// folder does not exist, are left out.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder of marks exists and cannot be read.
    pub fn latest_of_targets(home: &Home) -> Result<Vec<LatestRun>, StoreError> {
        let folder = latest_by_target(home);
        let entries = match read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(StoreError::io("read", &folder))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(StoreError::io("read", &folder))?.path();
            let Ok(Some(text)) = read_mark(&path) else { continue };
            let mut lines = text.lines().map(str::to_owned);
            let (Some(id), Some(target)) = (lines.next(), lines.next()) else { continue };
            let command = lines.next().filter(|command| !command.is_empty());
            let run = RunId::parse(&id).ok().and_then(|id| Self::find(home, id));
            found.extend(run.map(|run| LatestRun { target, command, run }));
        }
        found.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(found)
    }

    /// Returns the run's name.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn latest_by_target(home: &Home) -> PathBuf {
    home.path().join("latest-by-target")
}

/// Returns the text of a file that marks a run; `None` when it does not exist.
fn read_mark(path: &Path) -> Result<Option<String>, StoreError> {
    ensure_regular_file(path)?;
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(1024).read_to_string(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
        Ok(_) => Ok(Some(text)),
    }
}

/// Copies journals and their samples files into `folder`, which is created if it does not exist. Each keeps its rank. It
/// keeps its name too unless an earlier one has that; then it gets a number in the place of the process id.
///
/// # Errors
/// [`StoreError::Exists`] when the folder already has such a file: measurements are never overwritten.
/// [`StoreError::NotARegularFile`] when one of them is not a regular file or not named like a journal, else
/// [`StoreError::Io`].
pub fn copy_journals(journals: &[&Path], folder: &Path) -> Result<(), StoreError> {
    create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let mut taken = BTreeSet::new();
    for path in journals {
        let Some(source) = path.file_name().and_then(|name| JournalName::parse(name.to_str()?)) else {
            return Err(StoreError::NotARegularFile { path: path.to_path_buf(), what: "not named like a journal" });
        };
        let numbered = (1..).map(|n| JournalName { pid: Some(n), ..source });
        let Some(target) = std::iter::once(source).chain(numbered).find(|name| !taken.contains(name)) else {
            continue;
        };
        taken.insert(target);
        // The samples first: a journal must not refer to samples that do not exist.
        let samples = path.with_file_name(source.samples_file());
        if samples.exists() {
            copy_new(&samples, folder.join(target.samples_file()))?;
        }
        copy_new(path, folder.join(target.journal_file()))?;
    }
    sync_folder(folder)
}

/// Copies a file to a path where no file may exist.
fn copy_new(from: &Path, to: PathBuf) -> Result<(), StoreError> {
    ensure_regular_file(from)?;
    let mut source = File::open(from).map_err(StoreError::io("read", from))?;
    let mut copy = match File::create_new(&to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(StoreError::Exists { path: to }),
        created => created.map_err(StoreError::io("create", &to))?,
    };
    let written = io::copy(&mut source, &mut copy).and_then(|_| copy.sync_data());
    written.map_err(|error| {
        drop(fs::remove_file(&to));
        StoreError::io("write", &to)(error)
    })
}

/// Replaces a whole file: it is written under another name in the same folder, synced, then renamed. A reader sees the
/// old bytes or the new ones, never a part, also after a power cut.
///
/// # Errors
/// [`StoreError::NotARegularFile`] when `path` is a symbolic link, a folder or a device: links are not followed.
/// [`StoreError::Io`] when writing failed: then the old file is unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    ensure_regular_file(path)?;
    files::write_atomic(path, bytes).map_err(StoreError::io("write", path))
}

/// Replaces a whole file that can be made again, as [`write_atomic`] does but without syncing it: after a power cut it may
/// be empty.
///
/// # Errors
/// As [`write_atomic`].
#[cfg(feature = "html")]
pub fn write_replaceable(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    use std::io::Write as _;

    ensure_regular_file(path)?;
    files::replace_file(path, |file| file.write_all(bytes)).map_err(StoreError::io("write", path))
}

/// Makes the names in a folder durable, where the platform and the file system can.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    files::sync_folder(folder).map_err(StoreError::io("sync", folder))
}

/// Refuses a symbolic link in the place of one of our folders. Accepts a path where nothing exists, and a file: opening
/// something below it fails anyway.
pub(super) fn refuse_links(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            Err(StoreError::NotARegularFile { path: path.to_path_buf(), what: "a symbolic link" })
        }
        _ => Ok(()),
    }
}

/// Refuses everything but a regular file: a link, a pipe, a device, a folder. Accepts a path where nothing exists.
pub(super) fn ensure_regular_file(path: &Path) -> Result<(), StoreError> {
    let what = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_symlink() => "a symbolic link",
        Ok(metadata) if metadata.is_dir() => "a folder",
        Ok(_) => "not a regular file",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("look at", path)(error)),
    };
    Err(StoreError::NotARegularFile { path: path.to_path_buf(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("lem-bench"));
        (folder, home)
    }

    fn target(package: &str) -> BenchTarget {
        BenchTarget { package: Some(package.to_owned()), name: "energy".to_owned() }
    }

    #[test]
    fn lists_runs_in_order_and_latest() {
        let (_folder, home) = home();
        assert_eq!(RunDir::list(&home).unwrap(), []);
        assert_eq!(RunDir::latest(&home).unwrap(), None);
        let newer = RunDir::create_new(&home, RunId::at(2_000_000_000, 7)).unwrap();
        let older = RunDir::create_new(&home, RunId::at(1_000_000_000, 7)).unwrap();
        fs::write(home.runs().join("a file"), "").unwrap();
        fs::create_dir(home.runs().join(".hidden")).unwrap();
        assert_eq!(RunDir::list(&home).unwrap(), [older.clone(), newer.clone()]);
        assert_eq!(RunDir::latest_of_targets(&home).unwrap(), []);
        newer.mark_latest(&home, &target("beta"), Some("cargo 7")).unwrap();
        older.mark_latest(&home, &target("alpha"), None).unwrap();
        assert_eq!(RunDir::latest(&home).unwrap(), Some(older.clone()));
        let of_targets = RunDir::latest_of_targets(&home).unwrap();
        let beta =
            LatestRun { target: "beta/energy".to_owned(), command: Some("cargo 7".to_owned()), run: newer.clone() };
        let alpha = LatestRun { target: "alpha/energy".to_owned(), command: None, run: older.clone() };
        assert_eq!(of_targets, [alpha, beta.clone()]);
        newer.mark_latest(&home, &target("alpha"), None).unwrap();
        assert_eq!(RunDir::latest_of_targets(&home).unwrap()[0].run, newer);
        older.mark_latest(&home, &target("alpha"), None).unwrap();
        fs::remove_dir(older.path()).unwrap();
        assert_eq!(RunDir::latest(&home).unwrap(), None);
        assert_eq!(RunDir::latest_of_targets(&home).unwrap(), [beta]);
    }

    #[test]
    fn names_are_unique_unless_joined() {
        let (_folder, home) = home();
        let id = RunId::nextest("67a1", &target("alpha")).unwrap();
        let first = RunDir::join(&home, id.clone()).unwrap();
        assert_eq!(RunDir::join(&home, id.clone()).unwrap(), first);
        assert!(matches!(RunDir::create_new(&home, id), Err(StoreError::Exists { .. })));
        assert_ne!(RunDir::create(&home).unwrap(), RunDir::create(&home).unwrap());
    }

    #[test]
    fn latest_stays_in_home() {
        let (_folder, home) = home();
        let run = RunDir::create(&home).unwrap();
        for text in ["../../..", "/etc", "", "a\0b"] {
            fs::write(home.path().join("latest"), text).unwrap();
            assert!(matches!(RunDir::latest(&home), Err(StoreError::BadRunId { .. })), "{text:?}");
        }
        run.mark_latest(&home, &target("alpha"), None).unwrap();
        assert_eq!(RunDir::latest(&home).unwrap(), Some(run));
    }

    #[cfg(unix)]
    #[test]
    fn does_not_follow_links() {
        let (folder, home) = home();
        home.check_writable().unwrap();
        std::os::unix::fs::symlink(folder.path(), home.runs().join("shared")).unwrap();
        let error = RunDir::join(&home, RunId::parse("shared").unwrap()).unwrap_err();
        assert!(error.to_string().contains("shared is a symbolic link"), "{error}");
        assert_eq!(RunDir::find(&home, RunId::parse("shared").unwrap()), None);
        assert_eq!(RunDir::list(&home).unwrap(), []);
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("latest")).unwrap();
        let error = RunDir::latest(&home).unwrap_err();
        assert!(error.to_string().contains("latest is a symbolic link"), "{error}");
    }

    #[test]
    fn copied_journals_get_distinct_names() {
        let folder = tempfile::tempdir().unwrap();
        let path_of = |run: &str, name: &str| folder.path().join(run).join(name);
        for run in ["a", "b", "c"] {
            create_dir_all(folder.path().join(run)).unwrap();
            fs::write(path_of(run, "journal-0.jsonl"), format!("journal of {run}")).unwrap();
            fs::write(path_of(run, "samples-0.bin"), format!("samples of {run}")).unwrap();
        }
        fs::write(path_of("a", "journal-0-1.jsonl"), "another of a").unwrap();
        let paths = [("a", "0"), ("a", "0-1"), ("b", "0"), ("c", "0")];
        let paths: Vec<PathBuf> =
            paths.iter().map(|(run, stem)| path_of(run, &format!("journal-{stem}.jsonl"))).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let into = folder.path().join("into");
        copy_journals(&paths, &into).unwrap();
        let text = |name: &str| fs::read_to_string(into.join(name)).unwrap();
        assert_eq!((text("journal-0.jsonl"), text("samples-0.bin")), ("journal of a".into(), "samples of a".into()));
        assert_eq!(text("journal-0-1.jsonl"), "another of a");
        assert_eq!(
            (text("journal-0-2.jsonl"), text("samples-0-2.bin")),
            ("journal of b".into(), "samples of b".into())
        );
        assert_eq!(text("journal-0-3.jsonl"), "journal of c");
        assert!(matches!(copy_journals(&paths, &into), Err(StoreError::Exists { .. })));
        assert_eq!(text("samples-0.bin"), "samples of a");
    }

    #[cfg(unix)]
    #[test]
    fn writes_do_not_follow_links() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "precious").unwrap();
        let link = folder.path().join("summary.json");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let error = write_atomic(&link, b"x").unwrap_err();
        assert!(matches!(error, StoreError::NotARegularFile { .. }), "{error}");
        assert!(error.to_string().contains("summary.json is a symbolic link"), "{error}");
        assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
    }

    #[test]
    fn errors_name_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file.join("summary.json"), folder.path().join("missing/summary.json"), folder.path().to_path_buf()]
        {
            let error = write_atomic(&path, b"x").unwrap_err();
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
        assert!(write_atomic(Path::new("/"), b"x").is_err());
    }
}
