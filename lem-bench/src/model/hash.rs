//! A hash that is the same on every platform and in every version, because seeds and file names depend on it.

/// Returns the 64-bit hash FNV-1a (Fowler, Noll, Vo 1991) of an id.
pub fn id_hash(id: &str) -> u64 {
    fnv1a64(id.as_bytes())
}

/// Returns the 64-bit hash FNV-1a (Fowler, Noll, Vo 1991) of `bytes`.
pub fn fnv1a64(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_test_vectors() {
        // The authors' test vectors.
        assert_eq!(id_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(id_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(id_hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
