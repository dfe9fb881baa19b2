//! Linear equations, dense and exact up to rounding: Gaussian elimination with partial pivoting.
#![expect(
    clippy::indexing_slicing,
    reason = "square matrices, and every index runs below their size"
)]

/// A square matrix in factors: `P A = L U`.
pub(crate) struct Factored {
    /// L below the diagonal (its own diagonal is 1), U on and above it.
    rows: Vec<Vec<f64>>,
    order: Vec<usize>,
}

impl Factored {
    /// `None` if the matrix is singular.
    pub(crate) fn new(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        let n = rows.len();
        let mut order: Vec<usize> = (0..n).collect();
        for column in 0..n {
            let pivot = (column..n)
                .max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
            if rows[pivot][column] == 0.0 {
                return None;
            }
            rows.swap(column, pivot);
            order.swap(column, pivot);
            let (upper, lower) = rows.split_at_mut(column + 1);
            let pivot_row = &upper[column];
            for row in lower {
                let factor = row[column] / pivot_row[column];
                row[column] = factor;
                if factor != 0.0 {
                    for k in column + 1..n {
                        row[k] -= factor * pivot_row[k];
                    }
                }
            }
        }
        Some(Self { rows, order })
    }

    /// The x with `A x = right`.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.rows.len();
        let mut x: Vec<f64> = self.order.iter().map(|row| right[*row]).collect();
        for row in 0..n {
            for k in 0..row {
                x[row] -= self.rows[row][k] * x[k];
            }
        }
        for row in (0..n).rev() {
            for k in row + 1..n {
                x[row] -= self.rows[row][k] * x[k];
            }
            x[row] /= self.rows[row][row];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::Factored;

    #[test]
    fn a_solution_satisfies_its_equations_also_when_rows_must_be_swapped() {
        let matrix = vec![
            vec![0.0, 2.0, 1.0],
            vec![1.0, 0.5, 0.0],
            vec![4.0, 0.0, 3.0],
        ];
        let x = Factored::new(matrix.clone())
            .unwrap()
            .solve(&[1.0, 2.0, 3.0]);
        for (row, right) in matrix.iter().zip([1.0, 2.0, 3.0]) {
            let left: f64 = row.iter().zip(&x).map(|(a, b)| a * b).sum();
            assert!((left - right).abs() < 1e-14);
        }
    }

    #[test]
    fn a_singular_matrix_has_no_factors() {
        assert!(Factored::new(vec![vec![1.0, 2.0], vec![2.0, 4.0]]).is_none());
    }
}
