//! Hostile bytes for everything that reads a file or another process: no panic, and no memory beyond a bound.
//!
//! A few inputs with every test run, a million by `.ci/fuzz`. Must not know what a reader makes of what it reads.

mod allocator;
mod mutate;
mod readers;
mod samples;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mutate::Mutator;
use readers::{READERS, Reader};

/// What a reader may take in any case: its buffers, and what is there whatever it reads.
const IN_ANY_CASE: usize = 2 << 20;
/// What it may take for each byte of its input. Two bytes of JSON are a value of 32, kept three times over while a list
/// grows.
const FOR_EACH_BYTE: usize = 256;

/// What came of a reader's inputs.
struct Course {
    inputs: u64,
    /// How many there was something to be read of.
    read: u64,
    /// The most memory that it took at once, in bytes.
    most: usize,
}

/// Feeds a reader so many inputs.
fn feed(reader: &Reader, inputs: u64, seed: u64) -> Course {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let seeds = (reader.prepare)(folder.path());
    let mut mutator = Mutator::new(seed, reader.sealed);
    let (mut most, mut read) = (0, 0);
    for input in 0..inputs {
        let bytes = mutator.mutate(&seeds);
        if let Some(file) = reader.file {
            std::fs::write(folder.path().join(file), &bytes).unwrap();
        }
        let (ended, peak) = allocator::peak(|| catch_unwind(AssertUnwindSafe(|| (reader.read)(folder.path(), &bytes))));
        most = most.max(peak);
        read += u64::from(matches!(ended, Ok(true)));
        let bound = IN_ANY_CASE + FOR_EACH_BYTE * (bytes.len() + reader.beside);
        if ended.is_err() || peak > bound {
            let path = keep(reader, &bytes);
            panic!(
                "{}: input {input} of seed {seed} {}: it is kept in {}",
                reader.name,
                if ended.is_err() { "panics".to_owned() } else { format!("takes {peak} bytes, more than {bound}") },
                path.display()
            );
        }
    }
    // Inputs that are all refused at the door try nothing.
    assert!(read >= inputs / 200, "{}: {read} of {inputs} inputs were read", reader.name);
    Course { inputs, read, most }
}

fn keep(reader: &Reader, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lem-bench-fuzz-{}-{}", reader.name, std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A number from the environment.
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_reader_survives_hostile_inputs() {
    for reader in READERS {
        feed(reader, 300, 1);
    }
}

/// `LEM_FUZZ_INPUTS` and `LEM_FUZZ_SEED` set others than a million and 1.
#[test]
#[ignore = "a million inputs: .ci/fuzz"]
fn a_million_hostile_inputs() {
    let (inputs, seed) = (asked("LEM_FUZZ_INPUTS").unwrap_or(1_000_000), asked("LEM_FUZZ_SEED").unwrap_or(1));
    let each = inputs.div_ceil(READERS.len() as u64);
    let queue = std::sync::Mutex::new(READERS.iter());
    let work = || {
        loop {
            let Some(reader) = queue.lock().unwrap().next() else { return };
            let began = std::time::Instant::now();
            let course = feed(reader, each, seed);
            let (name, seconds) = (reader.name, began.elapsed().as_secs_f64());
            let (inputs, read, most) = (course.inputs, course.read, course.most >> 10);
            println!("{name}: {inputs} inputs in {seconds:.1} s, {read} of them read, at most {most} KiB at once");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

#[test]
fn what_is_allocated_is_counted() {
    let ((), peak) = allocator::peak(|| drop((vec![0_u8; 100_000], vec![0_u8; 50_000])));
    assert!((150_000..200_000).contains(&peak), "{peak}");
    let ((), after) = allocator::peak(|| drop(vec![0_u8; 10]));
    assert!(after < 1000, "{after}");
}
