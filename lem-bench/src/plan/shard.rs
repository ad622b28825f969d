//! Shards: which benches of a plan one of several processes measures.

use crate::model::id_hash;

/// Shard `number` of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub number: u32,
    /// Number of all shards.
    pub count: u32,
}

impl Shard {
    /// Parses `K/N` with 1 ≤ K ≤ N; returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, count) = text.split_once('/')?;
        let shard = Self { number: number.trim().parse().ok()?, count: count.trim().parse().ok()? };
        (1..=shard.count).contains(&shard.number).then_some(shard)
    }

    /// Returns whether this shard measures the bench `id`. Depends only on the id and the number of shards, so adding
    /// or removing benches does not move others.
    pub fn contains(self, id: &str) -> bool {
        // FNV-1a mixes the first bytes of short ids poorly, so all bits are mixed by SplitMix64's finaliser before the
        // range is divided.
        let mut x = id_hash(id);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        (u128::from(x) * u128::from(self.count)) >> 64 == u128::from(self.number - 1)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_partition_evenly() {
        for count in [1, 2, 4, 7] {
            let mut sizes = vec![0; count as usize];
            for n in 0..4000 {
                let id = format!("decode/batch={n}/dtype=bf16");
                let shards: Vec<u32> =
                    (1..=count).filter(|number| Shard { number: *number, count }.contains(&id)).collect();
                assert_eq!(shards.len(), 1, "{id}: {shards:?}");
                sizes[shards[0] as usize - 1] += 1;
            }
            let fair = 4000 / count as i64;
            // Five standard deviations of a binomial count.
            let spread = 5.0 * (4000.0 / f64::from(count)).sqrt();
            assert!(sizes.iter().all(|n: &i64| ((n - fair) as f64).abs() <= spread), "{sizes:?}");
        }
    }

    #[test]
    fn parses_valid_shards_only() {
        assert_eq!(Shard::parse("2/4"), Some(Shard { number: 2, count: 4 }));
        assert_eq!(Shard::parse("4/4").unwrap().to_string(), "4/4");
        for text in ["", "1", "0/4", "5/4", "1/0", "a/4", "1/-4", "1/4/2"] {
            assert_eq!(Shard::parse(text), None, "{text:?}");
        }
    }
}
