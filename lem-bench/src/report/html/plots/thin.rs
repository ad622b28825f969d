//! Thinning of a trace so that its peaks survive.
//!
//! A pure function; must not know what is plotted.

/// At most `2 · buckets + 2` of `points` (ordered by their first coordinate): of each of `buckets` equal stretches the
/// lowest and the highest point, and the first and the last of all. Short traces come back whole.
///
/// Points must be finite. No point is made up, and their order is kept.
pub(super) fn thin(points: &[(f64, f64)], buckets: usize) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= 2 * buckets + 2 || last.0 <= first.0 {
        return points.to_vec();
    }
    let bucket_of = |x: f64| (((x - first.0) / (last.0 - first.0) * buckets as f64) as usize).min(buckets - 1);
    let mut kept = vec![0];
    for bucket in points.chunk_by(|a, b| bucket_of(a.0) == bucket_of(b.0)).scan(0, |from, chunk| {
        let start = *from;
        *from += chunk.len();
        Some((start, chunk))
    }) {
        let (start, chunk) = bucket;
        let (mut low, mut high) = (0, 0);
        for (at, point) in chunk.iter().enumerate() {
            if point.1 < chunk[low].1 {
                low = at;
            }
            if point.1 > chunk[high].1 {
                high = at;
            }
        }
        kept.extend([start + low.min(high), start + low.max(high)]);
    }
    kept.push(points.len() - 1);
    kept.dedup();
    kept.into_iter().map(|at| points[at]).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    #[test]
    fn an_hour_at_ten_hertz_keeps_its_one_peak_and_its_one_dip() {
        let mut hour: Vec<(f64, f64)> = (0..36_000).map(|i| (f64::from(i) / 10.0, 335.0)).collect();
        hour[17_123].1 = 702.5;
        hour[17_124].1 = 12.25;
        let thinned = thin(&hour, 400);
        assert!(thinned.len() <= 802, "{}", thinned.len());
        assert!(thinned.contains(&(1712.3, 702.5)) && thinned.contains(&(1712.4, 12.25)));
        assert_eq!((thinned.first(), thinned.last()), (hour.first(), hour.last()));
    }

    #[test]
    fn extremes_order_and_points_are_kept_whatever_the_trace() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        for _ in 0..200 {
            let n = rng.random_range(0..500);
            let buckets = rng.random_range(1..40);
            let mut x = 0.0;
            let points: Vec<(f64, f64)> = (0..n)
                .map(|_| {
                    x += rng.random_range(0.0..3.0);
                    (x, rng.random_range(-5.0..5.0))
                })
                .collect();
            let thinned = thin(&points, buckets);
            assert!(thinned.len() <= 2 * buckets + 2);
            assert!(thinned.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            assert!(thinned.iter().all(|point| points.contains(point)));
            let extremes = |points: &[(f64, f64)]| {
                points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |e, p| (e.0.min(p.1), e.1.max(p.1)))
            };
            assert_eq!(extremes(&points), extremes(&thinned));
        }
    }

    #[test]
    fn points_at_one_time_do_not_divide_by_zero() {
        let points = vec![(1.0, 2.0); 50];
        assert_eq!(thin(&points, 4), points);
    }
}
