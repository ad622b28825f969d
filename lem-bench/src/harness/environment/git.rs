//! The commit that is checked out, read from `.git` without starting git. Uncommitted changes are not detected.

use crate::model::fact_names;
use std::path::{Path, PathBuf};

/// Returns commit and branch of the repository that contains `folder`.
pub(super) fn facts(folder: &Path) -> [(&'static str, Option<String>); 2] {
    let head = folder.ancestors().find_map(repository).and_then(|git| head(&git)).unwrap_or_default();
    [(fact_names::GIT_COMMIT, head.commit), (fact_names::GIT_BRANCH, head.branch)]
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    commit: Option<String>,
    branch: Option<String>,
}

/// Returns the folder that contains `HEAD`, if `folder` is the root of a repository or a work tree.
fn repository(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let link = std::fs::read_to_string(git).ok()?;
    Some(folder.join(link.trim().strip_prefix("gitdir:")?.trim()))
}

fn head(git: &Path) -> Option<Head> {
    let text = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = text.trim().strip_prefix("ref:").map(str::trim) else {
        return Some(Head { commit: hash(&text), branch: None });
    };
    // A work tree has its own `HEAD` and shares the rest.
    let common = std::fs::read_to_string(git.join("commondir")).ok().map(|common| git.join(common.trim()));
    let folders = [Some(git.to_path_buf()), common];
    let commit = folders.iter().flatten().find_map(|folder| reference(folder, name));
    Some(Head { commit, branch: name.strip_prefix("refs/heads/").map(str::to_owned) })
}

fn reference(git: &Path, name: &str) -> Option<String> {
    // The name comes from a file: it must not point outside the repository.
    if !name.starts_with("refs/") || name.split('/').any(|piece| piece == "..") {
        return None;
    }
    let loose = std::fs::read_to_string(git.join(name)).ok().and_then(|text| hash(&text));
    loose.or_else(|| {
        let packed = std::fs::read_to_string(git.join("packed-refs")).ok()?;
        packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' ').and_then(hash))
    })
}

/// Returns the trimmed text, if it is a hash.
fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_loose_packed_and_detached_heads_and_work_trees() {
        let top = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = top.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let (first, second) = ("1".repeat(40), "2".repeat(40));
        let read = |folder: &str| {
            let facts = facts(&top.path().join(folder));
            facts.into_iter().filter_map(|(_, value)| value).collect::<Vec<_>>().join(" ")
        };
        write("a/.git/HEAD", "ref: refs/heads/main\n");
        write("a/.git/packed-refs", &format!("# pack-refs with: peeled\n{first} refs/heads/main\n"));
        write("a/src/lib.rs", "");
        assert_eq!(read("a/src"), format!("{first} main"));
        write("a/.git/refs/heads/main", &format!("{second}\n"));
        assert_eq!(read("a"), format!("{second} main"));
        write("a/.git/worktrees/b/HEAD", "ref: refs/heads/topic/x\n");
        write("a/.git/worktrees/b/commondir", "../..\n");
        write("a/.git/refs/heads/topic/x", &format!("{first}\n"));
        write("b/.git", &format!("gitdir: {}\n", top.path().join("a/.git/worktrees/b").display()));
        assert_eq!(read("b"), format!("{first} topic/x"));
        write("c/.git/HEAD", &format!("{second}\n"));
        assert_eq!(read("c"), second);
        write("d/.git/HEAD", "ref: ../../secret\n");
        assert_eq!(read("d"), "");
    }
}
