//! Brings the journals of several runs together in one folder, byte for byte.
//!
//! Must not know whether they belong together.

use std::collections::BTreeSet;
use std::fs::{self, File, create_dir_all};
use std::io;
use std::path::{Path, PathBuf};

use super::durable::{ensure_regular_file, sync_folder};
use super::error::StoreError;
use super::journal::JournalName;

/// Copies journals and the samples beside them into `folder`, which is made where it is not there. Each keeps its rank,
/// and its name where that is free; else it gets a number in place of a process' id.
///
/// # Errors
/// [`StoreError::Exists`] when such a file is there already: what was measured is never overwritten.
/// [`StoreError::NotARegularFile`] when one of them is no plain file, else [`StoreError::Io`].
pub fn gather(journals: &[&Path], folder: &Path) -> Result<(), StoreError> {
    create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let mut taken = BTreeSet::new();
    for path in journals {
        let Some(own) = path.file_name().and_then(|name| JournalName::parse(name.to_str()?)) else {
            return Err(StoreError::NotARegularFile { path: path.to_path_buf(), what: "no journal, by its name" });
        };
        let numbered = (1..).map(|n| JournalName { pid: Some(n), ..own });
        let Some(name) = std::iter::once(own).chain(numbered).find(|name| !taken.contains(name)) else { continue };
        taken.insert(name);
        // The samples first: a journal is never without those that it names.
        let samples = path.with_file_name(own.samples_file());
        if samples.exists() {
            copy(&samples, folder.join(name.samples_file()))?;
        }
        copy(path, folder.join(name.journal_file()))?;
    }
    sync_folder(folder)
}

fn copy(from: &Path, to: PathBuf) -> Result<(), StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_where_names_are_the_same_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let at = |run: &str, name: &str| folder.path().join(run).join(name);
        for run in ["a", "b", "c"] {
            create_dir_all(folder.path().join(run)).unwrap();
            fs::write(at(run, "journal-0.jsonl"), format!("journal of {run}")).unwrap();
            fs::write(at(run, "samples-0.bin"), format!("samples of {run}")).unwrap();
        }
        fs::write(at("a", "journal-0-1.jsonl"), "another of a").unwrap();
        let paths = [("a", "0"), ("a", "0-1"), ("b", "0"), ("c", "0")];
        let paths: Vec<PathBuf> = paths.iter().map(|(run, stem)| at(run, &format!("journal-{stem}.jsonl"))).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let into = folder.path().join("into");
        gather(&paths, &into).unwrap();
        let text = |name: &str| fs::read_to_string(into.join(name)).unwrap();
        assert_eq!((text("journal-0.jsonl"), text("samples-0.bin")), ("journal of a".into(), "samples of a".into()));
        assert_eq!(text("journal-0-1.jsonl"), "another of a");
        assert_eq!(
            (text("journal-0-2.jsonl"), text("samples-0-2.bin")),
            ("journal of b".into(), "samples of b".into())
        );
        assert_eq!(text("journal-0-3.jsonl"), "journal of c");
        assert!(matches!(gather(&paths, &into), Err(StoreError::Exists { .. })));
        assert_eq!(text("samples-0.bin"), "samples of a");
    }
}
