//! Makes bad input from good input: flipped bits, cuts, repetitions, splices, and values at the limits of parsers.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

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

    /// Returns the next input. If lines have checksums, most are corrected, so that the code behind the check is reached.
    pub(super) fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
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
