//! Feeds readers with mutated inputs, and checks for panics and memory use with an allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

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
        let (outcome, peak) = peak(read);
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

struct CountingAllocator;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call is passed on unchanged to the system's allocator, which upholds the contract. The counters are
// thread-local integers without destructors, so accessing them does not allocate.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-(layout.size().cast_signed()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the content is moved.
        add(size.cast_signed());
        add(-(layout.size().cast_signed()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Runs `action` and returns its result, and the most bytes that this thread held during it, beyond those before it.
fn peak<T>(action: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = action();
    (result, (PEAK.get() - before).max(0) as usize)
}

#[test]
fn counts_allocated_memory() {
    let ((), bytes) = peak(|| drop((vec![0_u8; 100_000], vec![0_u8; 50_000])));
    assert!((150_000..200_000).contains(&bytes), "{bytes}");
    let ((), bytes) = peak(|| drop(vec![0_u8; 10]));
    assert!(bytes < 1000, "{bytes}");
}

/// Numbers and tokens at the limits of what parsers accept.
const TOKENS: [&str; 34] = [
    "0",
    "-1",
    "1e999",
    "-0.0",
    "1e-400",
    "255",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "0.1",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"../../x\"",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "[",
    "{",
    "\"",
    "\n",
    ",",
    ":",
    "=",
    "[[",
    "\u{feff}",
    "'''",
    "#",
    "\\",
];

/// Makes inputs from seeds.
struct Mutator {
    rng: Xoshiro256PlusPlus,
    sealed: bool,
}

impl Mutator {
    pub fn new(seed: u64, sealed: bool) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), sealed }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n.max(1))
    }

    /// Returns the next input. If lines have checksums, most are corrected, so that the code behind the check is reached.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..[1, 1, 1, 2, 5][self.below(5)] {
            self.change(&mut bytes, seeds);
        }
        if self.sealed && self.below(4) > 0 { reseal(&bytes) } else { bytes }
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let start = self.below(bytes.len());
        let end = (start + self.below(64)).min(bytes.len());
        match self.below(10) {
            0 if start < bytes.len() => bytes[start] ^= 1 << self.below(8),
            1 if start < bytes.len() => bytes[start] = self.rng.random(),
            2 => bytes.truncate(start),
            3 => drop(bytes.drain(start..end)),
            4 => {
                let copy = bytes[start..end].to_vec();
                bytes.splice(start..start, copy);
            }
            5 => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(start..start, token.bytes());
            }
            // Replaces a value, so that the structure around it stays valid.
            6 | 7 => {
                let token = TOKENS[self.below(TOKENS.len())];
                let (from, to) = value_after(bytes, start);
                bytes.splice(from..to, token.bytes());
            }
            8 => {
                let nested = ["[", "{\"a\":", "a.", "(", "[[a]]\n"][self.below(5)].repeat(1 + self.below(400));
                bytes.splice(start..start, nested.into_bytes());
            }
            _ => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len());
                let to = (from + self.below(512)).min(other.len());
                bytes.splice(start..start, other[from..to].iter().copied());
            }
        }
    }
}

/// Returns the range of the next value after `start`: from a colon or an equals sign to its end.
fn value_after(bytes: &[u8], start: usize) -> (usize, usize) {
    let sign = bytes[start..].iter().position(|byte| matches!(byte, b':' | b'='));
    let from = sign.map_or(start, |sign| start + sign + 1);
    let end = bytes[from..].iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n'));
    (from, end.map_or(bytes.len(), |end| from + end))
}

/// Returns the lines with corrected checksums.
fn reseal(bytes: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = br#","crc32":""#;
    let mut all = Vec::with_capacity(bytes.len() + 64);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let ended = line.ends_with(b"\n");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let field = line.windows(FIELD.len()).rposition(|window| window == FIELD);
        let body = &line[..field.unwrap_or_else(|| line.len() - usize::from(line.ends_with(b"}")))];
        all.extend_from_slice(body);
        all.extend_from_slice(format!(",\"crc32\":\"{:08x}\"}}", crc32fast::hash(body)).as_bytes());
        if ended {
            all.push(b'\n');
        }
    }
    all
}
