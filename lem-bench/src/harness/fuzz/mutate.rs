//! From good bytes to bad ones: flips, cuts, repetitions, splices, and the words that parsers fear.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// Numbers and words at the edges of what parsers take.
const WORDS: [&str; 34] = [
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

/// Makes inputs out of seeds.
pub(super) struct Mutator {
    rng: Xoshiro256PlusPlus,
    sealed: bool,
}

impl Mutator {
    pub(super) fn new(seed: u64, sealed: bool) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), sealed }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n.max(1))
    }

    /// The next input. Where lines have checksums, most get the right one, so that what lies behind it is reached.
    pub(super) fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..[1, 1, 1, 2, 5][self.below(5)] {
            self.change(&mut bytes, seeds);
        }
        if self.sealed && self.below(4) > 0 { reseal(&bytes) } else { bytes }
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        let to = (at + self.below(64)).min(bytes.len());
        match self.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.rng.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..to)),
            4 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            5 => {
                let word = WORDS[self.below(WORDS.len())];
                bytes.splice(at..at, word.bytes());
            }
            // In the place of a value, so that what is around it stays in order.
            6 | 7 => {
                let word = WORDS[self.below(WORDS.len())];
                let (from, to) = value_at(bytes, at);
                bytes.splice(from..to, word.bytes());
            }
            8 => {
                let deep = ["[", "{\"a\":", "a.", "(", "[[a]]\n"][self.below(5)].repeat(1 + self.below(400));
                bytes.splice(at..at, deep.into_bytes());
            }
            _ => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len());
                let to = (from + self.below(512)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
}

/// Where the next value after `at` lies: from behind a colon or an equals sign to what ends it.
fn value_at(bytes: &[u8], at: usize) -> (usize, usize) {
    let begin = bytes[at..].iter().position(|byte| matches!(byte, b':' | b'='));
    let from = begin.map_or(at, |begin| at + begin + 1);
    let end = bytes[from..].iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n'));
    (from, end.map_or(bytes.len(), |end| from + end))
}

/// The same lines, each with the checksum that it should have.
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
