//! The sample types that can be pooled, and their order-preserving integer keys.

/// An integer that sorts like the sample it represents.
pub trait Key: Copy + Ord + Send + Sync + 'static {
    /// Returns the key widened to 64 bits.
    fn wide(self) -> u64;
    /// Returns the key from its 64-bit form.
    fn narrow(wide: u64) -> Self;
}

impl Key for u32 {
    fn wide(self) -> u64 {
        u64::from(self)
    }

    fn narrow(wide: u64) -> Self {
        wide as Self
    }
}

impl Key for u64 {
    fn wide(self) -> u64 {
        self
    }

    fn narrow(wide: u64) -> Self {
        wide
    }
}

/// A sample that can be pooled: whole nanoseconds as `u32` or `u64` (half the memory, no conversion), or any unit as
/// `f32` or `f64`. Sealed.
pub trait Sample: Copy + Send + Sync + sealed::Sealed {
    /// The integer that is sorted in place of the sample.
    type Key: Key;
    /// Returns the key of a finite sample; `None` for NaN and infinities.
    fn key(self) -> Option<Self::Key>;
    /// Returns the keys of `samples`, reusing their memory where key and sample have the same type; `None` when one
    /// sample is NaN or infinite.
    fn keys(samples: Vec<Self>) -> Option<Vec<Self::Key>> {
        samples.into_iter().map(Self::key).collect()
    }
    /// Returns the sample that a key represents, as a float in the sample's unit.
    fn value(key: Self::Key) -> f64;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Sample for u32 {
    type Key = u32;

    fn key(self) -> Option<u32> {
        Some(self)
    }

    fn keys(samples: Vec<Self>) -> Option<Vec<u32>> {
        Some(samples)
    }

    fn value(key: u32) -> f64 {
        f64::from(key)
    }
}

impl Sample for u64 {
    type Key = u64;

    fn key(self) -> Option<u64> {
        Some(self)
    }

    fn keys(samples: Vec<Self>) -> Option<Vec<u64>> {
        Some(samples)
    }

    fn value(key: u64) -> f64 {
        key as f64
    }
}

// Positive floats sort like their bits; negative floats sort below them, in reverse order of their bits.

impl Sample for f32 {
    type Key = u32;

    fn key(self) -> Option<u32> {
        let bits = self.to_bits();
        self.is_finite().then_some(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
    }

    fn value(key: u32) -> f64 {
        f64::from(f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key }))
    }
}

impl Sample for f64 {
    type Key = u64;

    fn key(self) -> Option<u64> {
        let bits = self.to_bits();
        self.is_finite().then_some(if bits >> 63 == 1 { !bits } else { bits | 1 << 63 })
    }

    fn value(key: u64) -> f64 {
        f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_preserve_order_and_value() {
        let x = [f64::MIN, -1e12, -1.5, -1e-300, -0.0, 0.0, 5e-324, 1.0, 1e12, f64::MAX];
        let keys: Vec<u64> = x.iter().map(|v| v.key().unwrap()).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().zip(x).all(|(&k, v)| f64::value(k).to_bits() == v.to_bits()));
        let y = [-3.5_f32, -0.0, 0.25, 7e30];
        assert!(y.iter().all(|v| f32::value(v.key().unwrap()) == f64::from(*v)));
        assert_eq!((f64::NAN.key(), f32::INFINITY.key()), (None, None));
    }
}
