//! Which benches of a plan one of several processes measures.
//!
//! Must not know how the parts come together again.

use crate::model::id_hash;

/// Part `number` of `of`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// `K/N`, with 1 ≤ K ≤ N; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, of) = text.split_once('/')?;
        let shard = Self { number: number.trim().parse().ok()?, of: of.trim().parse().ok()? };
        (1..=shard.of).contains(&shard.number).then_some(shard)
    }

    /// Whether the bench of this id is measured by this part. It hangs on the id and the number of parts alone: another
    /// bench that comes or goes moves none.
    pub fn holds(self, id: &str) -> bool {
        // FNV's low bits say little about a short text's beginning: all bits are mixed (SplitMix64's finaliser) before
        // the range is divided.
        let mut x = id_hash(id);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        (u128::from(x) * u128::from(self.of)) >> 64 == u128::from(self.number - 1)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bench_is_in_one_shard_and_shards_are_of_like_size() {
        for of in [1, 2, 4, 7] {
            let mut sizes = vec![0; of as usize];
            for n in 0..4000 {
                let id = format!("decode/batch={n}/dtype=bf16");
                let holders: Vec<u32> = (1..=of).filter(|number| Shard { number: *number, of }.holds(&id)).collect();
                assert_eq!(holders.len(), 1, "{id}: {holders:?}");
                sizes[holders[0] as usize - 1] += 1;
            }
            let fair = 4000 / of as i64;
            // Five standard deviations of a binomial count.
            let spread = 5.0 * (4000.0 / f64::from(of)).sqrt();
            assert!(sizes.iter().all(|n: &i64| ((n - fair) as f64).abs() <= spread), "{sizes:?}");
        }
    }

    #[test]
    fn only_parts_that_exist_are_read() {
        assert_eq!(Shard::parse("2/4"), Some(Shard { number: 2, of: 4 }));
        assert_eq!(Shard::parse("4/4").unwrap().to_string(), "4/4");
        for text in ["", "1", "0/4", "5/4", "1/0", "a/4", "1/-4", "1/4/2"] {
            assert_eq!(Shard::parse(text), None, "{text:?}");
        }
    }
}
