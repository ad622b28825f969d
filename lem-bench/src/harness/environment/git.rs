//! The commit that is checked out, read from `.git` without starting git. Whether files were changed since is not
//! known.

use std::path::{Path, PathBuf};

use super::facts::fact;
use crate::model::{Fact, fact_names};

/// The commit and the branch of the repository around `folder`.
pub(super) fn facts(folder: &Path) -> Vec<Fact> {
    let Some(head) = folder.ancestors().find_map(repository).and_then(|git| head(&git)) else { return Vec::new() };
    [fact(fact_names::GIT_COMMIT, head.commit), fact(fact_names::GIT_BRANCH, head.branch)]
        .into_iter()
        .flatten()
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    commit: Option<String>,
    branch: Option<String>,
}

/// The folder with `HEAD`, if `folder` is the top of a repository or of a work tree of one.
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
    // A work tree has a `HEAD` of its own and shares the rest.
    let common = std::fs::read_to_string(git.join("commondir")).ok().map(|common| git.join(common.trim()));
    let folders = [Some(git.to_path_buf()), common];
    let commit = folders.iter().flatten().find_map(|folder| reference(folder, name));
    Some(Head { commit, branch: name.strip_prefix("refs/heads/").map(str::to_owned) })
}

fn reference(git: &Path, name: &str) -> Option<String> {
    // A name from a file does not lead out of the repository.
    if !name.starts_with("refs/") || name.split('/').any(|piece| piece == "..") {
        return None;
    }
    let loose = std::fs::read_to_string(git.join(name)).ok().and_then(|text| hash(&text));
    loose.or_else(|| {
        let packed = std::fs::read_to_string(git.join("packed-refs")).ok()?;
        packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' ').and_then(hash))
    })
}

/// The text, if it is a hash.
fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_packed_detached_and_work_trees_are_read() {
        let top = std::env::temp_dir().join(format!("lem-bench-git-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let path = top.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let of = |folder: &str| {
            let facts = facts(&top.join(folder));
            facts.into_iter().map(|fact| fact.value).collect::<Vec<_>>().join(" ")
        };
        write("a/.git/HEAD", "ref: refs/heads/main\n");
        write("a/.git/packed-refs", &format!("# pack-refs with: peeled\n{one} refs/heads/main\n"));
        write("a/src/lib.rs", "");
        assert_eq!(of("a/src"), format!("{one} main"));
        write("a/.git/refs/heads/main", &format!("{two}\n"));
        assert_eq!(of("a"), format!("{two} main"));
        write("a/.git/worktrees/b/HEAD", "ref: refs/heads/topic/x\n");
        write("a/.git/worktrees/b/commondir", "../..\n");
        write("a/.git/refs/heads/topic/x", &format!("{one}\n"));
        write("b/.git", &format!("gitdir: {}\n", top.join("a/.git/worktrees/b").display()));
        assert_eq!(of("b"), format!("{one} topic/x"));
        write("c/.git/HEAD", &format!("{two}\n"));
        assert_eq!(of("c"), two);
        write("d/.git/HEAD", "ref: ../../secret\n");
        assert_eq!(of("d"), "");
        std::fs::remove_dir_all(top).unwrap();
    }
}
