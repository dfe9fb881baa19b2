//! Damped Newton ascent on logarithms of positive parameters.
//!
//! Levenberg's damping where the function is not concave, a cap on the step (so that no parameter changes
//! by more than a factor of e at once), and a full Newton step at the end: the optimum is reached to the
//! last digits that the function has. There is no randomness and no tolerance to choose.

use crate::linalg::{Matrix, Vector, cholesky, dot, negated_plus, solve};

/// A function's value, gradient and Hessian at a point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluation<const N: usize> {
    pub(crate) value: f64,
    pub(crate) gradient: Vector<N>,
    pub(crate) hessian: Matrix<N>,
}

/// An interior maximum: the function is concave there and its Newton step is negligible.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maximum<const N: usize> {
    pub(crate) point: Vector<N>,
    pub(crate) value: f64,
    /// Lower triangular factor of the negated Hessian.
    pub(crate) factor: Matrix<N>,
}

/// There is no maximum inside: the search ran off towards 0 or infinity, or onto a plateau.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoMaximum;

/// No parameter may change by more than this in one step (in logarithms).
const LONGEST_STEP: f64 = 1.0;
/// A Newton step shorter than this is the last one: convergence is quadratic, so its error is its square.
const SHORTEST_STEP: f64 = 1e-8;
/// A parameter beyond e^±16 (9 million) has left every sensible model.
const HORIZON: f64 = 16.0;
/// Far more than any climb that ended well has taken.
const MOST_EVALUATIONS: usize = 200;

/// The maximum of `function` that an ascent from `start` reaches.
pub(crate) fn maximize<const N: usize>(
    start: Vector<N>,
    mut function: impl FnMut(&Vector<N>) -> Evaluation<N>,
) -> Result<Maximum<N>, NoMaximum> {
    let mut point = start;
    let mut here = function(&point);
    let mut damping = 0.0;
    for _ in 0..MOST_EVALUATIONS {
        if !here.value.is_finite() {
            return Err(NoMaximum);
        }
        let (step, used) = ascent(&here, damping);
        let length = longest(&step);
        let (next_point, capped) = advance(&point, &step, length);
        let next = function(&next_point);
        // Rounding makes the function flat within a few units of its last digit.
        let noise = here.value.abs() * 1e-13;
        if next.value >= here.value - noise {
            point = next_point;
            here = next;
            if used == 0.0 && !capped && length < SHORTEST_STEP {
                return finish(point, &here);
            }
            damping = if used < 1e-6 { 0.0 } else { used / 10.0 };
        } else {
            damping = (used * 10.0).max(1e-4);
        }
        if longest(&point) > HORIZON || damping > 1e12 {
            return Err(NoMaximum);
        }
    }
    Err(NoMaximum)
}

/// The damped Newton step, with the damping that made it one: at least `damping`, in units of the
/// Hessian's size, and more where the function is not concave.
fn ascent<const N: usize>(here: &Evaluation<N>, damping: f64) -> (Vector<N>, f64) {
    let size = here
        .hessian
        .iter()
        .flatten()
        .fold(f64::MIN_POSITIVE, |size, entry| size.max(entry.abs()));
    let mut damping = damping;
    loop {
        if let Some(factor) = cholesky(&negated_plus(&here.hessian, damping * size)) {
            let step = solve(&factor, &here.gradient);
            if dot(&step, &here.gradient) >= 0.0 {
                return (step, damping);
            }
        }
        if damping > 1e12 {
            return (here.gradient.map(|_| 0.0), damping);
        }
        damping = (damping * 10.0).max(1e-6);
    }
}

fn advance<const N: usize>(point: &Vector<N>, step: &Vector<N>, length: f64) -> (Vector<N>, bool) {
    let capped = length > LONGEST_STEP;
    let scale = if capped { LONGEST_STEP / length } else { 1.0 };
    let mut next = *point;
    for (coordinate, change) in next.iter_mut().zip(step) {
        *coordinate += scale * change;
    }
    (next, capped)
}

fn finish<const N: usize>(point: Vector<N>, here: &Evaluation<N>) -> Result<Maximum<N>, NoMaximum> {
    let factor = cholesky(&negated_plus(&here.hessian, 0.0)).ok_or(NoMaximum)?;
    Ok(Maximum {
        point,
        value: here.value,
        factor,
    })
}

fn longest<const N: usize>(vector: &Vector<N>) -> f64 {
    vector
        .iter()
        .fold(0.0, |longest, entry| entry.abs().max(longest))
}

/// Turns derivatives with respect to positive parameters into derivatives with respect to their logarithms.
pub(crate) fn to_logarithms<const N: usize>(
    natural: Evaluation<N>,
    parameters: &Vector<N>,
) -> Evaluation<N> {
    let mut log = natural;
    for (row, ((entries, slope), p)) in log
        .hessian
        .iter_mut()
        .zip(natural.gradient)
        .zip(parameters)
        .enumerate()
    {
        for (column, (entry, q)) in entries.iter_mut().zip(parameters).enumerate() {
            *entry *= p * q;
            if row == column {
                *entry += p * slope;
            }
        }
    }
    for (slope, p) in log.gradient.iter_mut().zip(parameters) {
        *slope *= p;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::{Evaluation, NoMaximum, maximize, to_logarithms};

    /// ln of a product of two Gamma densities in (p, q), modes at 3 and 0.5.
    fn gamma_shaped(log: &[f64; 2]) -> Evaluation<2> {
        let [p, q] = log.map(f64::exp);
        let natural = Evaluation {
            value: 3.0 * p.ln() - p + 2.0 * q.ln() - 4.0 * q,
            gradient: [3.0 / p - 1.0, 2.0 / q - 4.0],
            hessian: [[-3.0 / (p * p), 0.0], [0.0, -2.0 / (q * q)]],
        };
        to_logarithms(natural, &[p, q])
    }

    #[test]
    fn the_maximum_is_found_from_far_away() {
        for start in [[0.0, 0.0], [6.0, -6.0], [-6.0, 6.0], [-6.0, -6.0]] {
            let found = maximize(start, gamma_shaped).unwrap();
            assert!((found.point[0] - 3_f64.ln()).abs() < 1e-14, "{start:?}");
            assert!((found.point[1] - 0.5_f64.ln()).abs() < 1e-14, "{start:?}");
        }
    }

    #[test]
    fn a_function_without_a_maximum_has_none() {
        let rising = |log: &[f64; 1]| Evaluation {
            value: -(-log[0]).exp(),
            gradient: [(-log[0]).exp()],
            hessian: [[-(-log[0]).exp()]],
        };
        assert_eq!(maximize([0.0], rising).unwrap_err(), NoMaximum);
        let not_a_number = |_: &[f64; 1]| Evaluation {
            value: f64::NAN,
            gradient: [0.0],
            hessian: [[-1.0]],
        };
        assert_eq!(maximize([0.0], not_a_number).unwrap_err(), NoMaximum);
    }
}
