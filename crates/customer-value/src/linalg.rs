//! Small dense symmetric matrices: as much linear algebra as Newton's method needs.
#![expect(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "matrices of a fixed size N, and every index runs below N"
)]

/// A vector of N numbers.
pub(crate) type Vector<const N: usize> = [f64; N];

/// A matrix of N rows of N numbers.
pub(crate) type Matrix<const N: usize> = [[f64; N]; N];

/// The lower triangular L with `L Lᵀ = matrix`, or `None` if the matrix is not positive definite.
pub(crate) fn cholesky<const N: usize>(matrix: &Matrix<N>) -> Option<Matrix<N>> {
    let mut lower = [[0.0; N]; N];
    for row in 0..N {
        for column in 0..=row {
            let mut rest = matrix[row][column];
            for k in 0..column {
                rest -= lower[row][k] * lower[column][k];
            }
            if row == column {
                // What rounding leaves of a singular matrix is not curvature.
                if rest.is_nan() || rest <= matrix[row][row].abs() * 1e-14 {
                    return None;
                }
                lower[row][row] = rest.sqrt();
            } else {
                lower[row][column] = rest / lower[column][column];
            }
        }
    }
    Some(lower)
}

/// The solution of `L Lᵀ x = right`.
pub(crate) fn solve<const N: usize>(lower: &Matrix<N>, right: &Vector<N>) -> Vector<N> {
    let mut x = *right;
    for row in 0..N {
        for k in 0..row {
            x[row] -= lower[row][k] * x[k];
        }
        x[row] /= lower[row][row];
    }
    for row in (0..N).rev() {
        for k in row + 1..N {
            x[row] -= lower[k][row] * x[k];
        }
        x[row] /= lower[row][row];
    }
    x
}

/// The inverse of `L Lᵀ`.
pub(crate) fn inverse<const N: usize>(lower: &Matrix<N>) -> Matrix<N> {
    let mut columns = [[0.0; N]; N];
    for column in 0..N {
        let mut unit = [0.0; N];
        unit[column] = 1.0;
        columns[column] = solve(lower, &unit);
    }
    columns
}

/// `matrix + shift · 1`, negated first.
pub(crate) fn negated_plus<const N: usize>(matrix: &Matrix<N>, shift: f64) -> Matrix<N> {
    let mut sum = matrix.map(|row| row.map(|entry| -entry));
    for k in 0..N {
        sum[k][k] += shift;
    }
    sum
}

/// The quadratic form `left · matrix · right`.
pub(crate) fn form<const N: usize>(left: &Vector<N>, matrix: &Matrix<N>, right: &Vector<N>) -> f64 {
    left.iter()
        .zip(matrix)
        .map(|(l, row)| l * dot(row, right))
        .sum()
}

/// The scalar product.
pub(crate) fn dot<const N: usize>(left: &Vector<N>, right: &Vector<N>) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

#[cfg(test)]
mod tests {
    use super::{cholesky, form, inverse, solve};

    const MATRIX: [[f64; 3]; 3] = [[4.0, 2.0, 0.5], [2.0, 5.0, 1.0], [0.5, 1.0, 3.0]];

    #[test]
    fn a_solution_satisfies_its_equations() {
        let lower = cholesky(&MATRIX).unwrap();
        let x = solve(&lower, &[1.0, -2.0, 3.0]);
        for (row, right) in MATRIX.iter().zip([1.0, -2.0, 3.0]) {
            assert!((super::dot(row, &x) - right).abs() < 1e-14);
        }
        let inverse = inverse(&lower);
        let norm = form(&[1.0, -2.0, 3.0], &inverse, &[1.0, -2.0, 3.0]);
        assert!((norm - super::dot(&x, &[1.0, -2.0, 3.0])).abs() < 1e-14);
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(cholesky(&[[1.0, 2.0], [2.0, 1.0]]).is_none());
        assert!(cholesky(&[[1.0, 1.0], [1.0, 1.0]]).is_none());
        assert!(cholesky(&[[f64::NAN, 0.0], [0.0, 1.0]]).is_none());
    }
}
