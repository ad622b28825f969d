//! Weighted linear least squares with few unknowns.

/// Relative size below which a pivot counts as zero: the equations do not determine its unknown.
const SMALLEST_PIVOT: f64 = 1e-10;

/// The normal equations of a linear least-squares problem with `N` unknowns at most, built row by row.
#[derive(Debug, Clone)]
pub struct LeastSquares<const N: usize> {
    products: [[f64; N]; N],
    right: [f64; N],
    squares: f64,
}

impl<const N: usize> Default for LeastSquares<N> {
    fn default() -> Self {
        Self { products: [[0.0; N]; N], right: [0.0; N], squares: 0.0 }
    }
}

impl<const N: usize> LeastSquares<N> {
    /// Adds the equation `row · x = value` with a weight of 1/variance.
    pub fn add(&mut self, row: &[f64; N], value: f64, weight: f64) {
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                self.products[i][j] += weight * a * b;
            }
            self.right[i] += weight * a * value;
        }
        self.squares += weight * value * value;
    }

    /// Returns the solution with the unknowns that `used` excludes at zero, and its weighted sum of squared residuals.
    /// `None` when the equations do not determine it.
    pub fn solve(&self, used: [bool; N]) -> Option<([f64; N], f64)> {
        // Columns of very different sizes are scaled to 1.
        let scale: [f64; N] = std::array::from_fn(|i| self.products[i][i].sqrt());
        let unknowns: Vec<usize> = (0..N).filter(|i| used[*i]).collect();
        if unknowns.iter().any(|i| scale[*i] <= 0.0 || !scale[*i].is_finite()) {
            return None;
        }
        let mut matrix: Vec<Vec<f64>> = unknowns
            .iter()
            .map(|i| {
                let row = unknowns.iter().map(|j| self.products[*i][*j] / (scale[*i] * scale[*j]));
                row.chain([self.right[*i] / scale[*i]]).collect()
            })
            .collect();
        let size = unknowns.len();
        // Gaussian elimination of a positive definite matrix needs no pivoting.
        for column in 0..size {
            let pivot = matrix[column][column];
            if pivot < SMALLEST_PIVOT {
                return None;
            }
            let (upper, lower) = matrix.split_at_mut(column + 1);
            for row in lower {
                let factor = row[column] / pivot;
                row.iter_mut().zip(&upper[column]).for_each(|(value, above)| *value -= factor * above);
            }
        }
        let mut solution = [0.0; N];
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size)
                .map(|column| matrix[row][column] * solution[unknowns[column]] * scale[unknowns[column]])
                .sum();
            solution[unknowns[row]] = (matrix[row][size] - known) / matrix[row][row] / scale[unknowns[row]];
        }
        let explained: f64 = solution.iter().zip(&self.right).map(|(x, right)| x * right).sum();
        Some((solution, (self.squares - explained).max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_through_points() {
        let mut problem = LeastSquares::<2>::default();
        for (x, y, weight) in [(0.0, 1.0, 1.0), (1.0, 3.0, 1.0), (2.0, 4.0, 1.0), (1e6, 7.0, 0.0)] {
            problem.add(&[1.0, x], y, weight);
        }
        // By hand: slope 1.5, intercept 7/6, residuals −1/6, 1/3, −1/6.
        let ([intercept, slope], squares) = problem.solve([true; 2]).unwrap();
        assert!((intercept - 7.0 / 6.0).abs() < 1e-12 && (slope - 1.5).abs() < 1e-12, "{intercept} {slope}");
        assert!((squares - 1.0 / 6.0).abs() < 1e-12, "{squares}");
        let ([mean, none], _) = problem.solve([true, false]).unwrap();
        assert!((mean - 8.0 / 3.0).abs() < 1e-12 && none == 0.0);
    }

    #[test]
    fn columns_of_different_sizes() {
        let mut problem = LeastSquares::<3>::default();
        for t in 0..20 {
            let t = f64::from(t);
            problem.add(&[1.0, 1e6 * t, 1e-6 * t * t], 2.0 + 3.0 * t + 5.0 * t * t, 4.0);
        }
        let (solution, squares) = problem.solve([true; 3]).unwrap();
        for (found, expected) in solution.into_iter().zip([2.0, 3e-6, 5e6]) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{solution:?}");
        }
        assert!(squares < 1e-6, "{squares}");
    }

    #[test]
    fn dependent_columns_have_no_solution() {
        let mut problem = LeastSquares::<2>::default();
        (0..5).for_each(|t| problem.add(&[1.0, 2.0], f64::from(t), 1.0));
        assert_eq!(problem.solve([true; 2]), None);
        assert!(problem.solve([true, false]).is_some());
        assert_eq!(LeastSquares::<2>::default().solve([true; 2]), None);
    }
}
