//! Feeds readers with mutated inputs, and checks for panics and memory use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::allocator;
use super::mutate::Mutator;
use super::readers::{READERS, Reader};

/// Memory that a reader may use for any input: its buffers and other fixed costs.
const BASE_BYTES: usize = 2 << 20;
/// Memory that a reader may use per byte of input. Two bytes of JSON become a value of 32 bytes, of which three copies
/// exist while a list grows.
const BYTES_PER_INPUT_BYTE: usize = 256;

/// What happened to the inputs of a reader.
struct FeedResult {
    inputs: u64,
    /// Number of inputs that the reader accepted.
    accepted: u64,
    /// Largest memory use for one input, in bytes.
    peak: usize,
}

/// Feeds a reader this many inputs.
fn feed(reader: &Reader, inputs: u64, seed: u64) -> FeedResult {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let seeds = (reader.prepare)(folder.path());
    let mut mutator = Mutator::new(seed, reader.sealed);
    let mut result = FeedResult { inputs, accepted: 0, peak: 0 };
    for input in 0..inputs {
        let bytes = mutator.mutate(&seeds);
        if let Some(file) = reader.file {
            std::fs::write(folder.path().join(file), &bytes).unwrap();
        }
        let read = || catch_unwind(AssertUnwindSafe(|| (reader.read)(folder.path(), &bytes)));
        let (outcome, peak) = allocator::peak(read);
        result.peak = result.peak.max(peak);
        result.accepted += u64::from(matches!(outcome, Ok(true)));
        let bound = BASE_BYTES + BYTES_PER_INPUT_BYTE * (bytes.len() + reader.extra_bytes);
        if outcome.is_err() || peak > bound {
            let failure =
                if outcome.is_err() { "panics".to_owned() } else { format!("uses {peak} bytes, more than {bound}") };
            let path = save(reader, &bytes);
            panic!("{}: input {input} of seed {seed} {failure}; it is saved in {}", reader.name, path.display());
        }
    }
    // Inputs that are all rejected early test nothing.
    assert!(result.accepted >= inputs / 200, "{}: {} of {inputs} inputs were accepted", reader.name, result.accepted);
    result
}

fn save(reader: &Reader, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lem-bench-fuzz-{}-{}", reader.name, std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn number_from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_reader_survives_hostile_inputs() {
    for reader in READERS {
        feed(reader, 300, 1);
    }
}

/// `LEM_FUZZ_INPUTS` and `LEM_FUZZ_SEED` override the number of inputs and the seed.
#[test]
#[ignore = "a million inputs: .ci/fuzz"]
fn a_million_hostile_inputs() {
    let inputs = number_from_env("LEM_FUZZ_INPUTS").unwrap_or(1_000_000);
    let seed = number_from_env("LEM_FUZZ_SEED").unwrap_or(1);
    let inputs_per_reader = inputs.div_ceil(READERS.len() as u64);
    let queue = std::sync::Mutex::new(READERS.iter());
    let work = || {
        loop {
            let Some(reader) = queue.lock().unwrap().next() else { return };
            let start = std::time::Instant::now();
            let result = feed(reader, inputs_per_reader, seed);
            let (name, seconds) = (reader.name, start.elapsed().as_secs_f64());
            let (inputs, accepted, peak) = (result.inputs, result.accepted, result.peak >> 10);
            println!("{name}: {inputs} inputs in {seconds:.1} s, {accepted} accepted, at most {peak} KiB per input");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}
