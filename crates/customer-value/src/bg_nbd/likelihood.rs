//! The log-likelihood with its gradient and Hessian, all analytic.
//!
//! With R = r + x, k chances to leave and D = ln(a/(b+k-1)) + R ln((α+T)/(α+tx)) the odds of having left,
//!
//! `ℓ = lnΓ(r+x) - lnΓ(r) + r ln α - R ln(α+T) + ln (b)ₖ - ln (a+b)ₖ + ln(1 + e^D)`.
//!
//! Only the last term needs every cell; the others need each distinct x and each distinct T once.
//! Terms without parameters (the factorials of x and powers of t) are left out, as is usual.
#![expect(
    clippy::indexing_slicing,
    reason = "a Sample's indices point into its own tables, and the tables here have the same length"
)]

use std::thread;

use super::Variant;
use crate::newton::Evaluation;
use crate::sample::{Packed, Sample};
use crate::special::{LnSum, Rising};

/// Cells are summed in blocks of at most this size and the blocks in their order, so the sum has the same bits
/// for any number of threads.
const BLOCK: usize = 8_192;

/// Per distinct time: ln(α + t) and 1/(α + t).
struct Age {
    ln: f64,
    inverse: f64,
}

/// Cells of one x: R, ln(a/(b+k-1)) and 1/(b+k-1).
struct Block<'a> {
    cells: &'a [Packed],
    power: f64,
    ln_odds: f64,
    inverse: f64,
}

/// The log-likelihood of `sample` at the parameters `[r, alpha, a, b]`, with derivatives by them.
pub(super) fn evaluate(
    sample: &Sample,
    variant: Variant,
    parameters: &[f64; 4],
    threads: usize,
) -> Evaluation<4> {
    let [r, alpha, a, b] = *parameters;
    let ages: Vec<Age> = sample
        .times
        .iter()
        .map(|t| Age {
            ln: libm::log(alpha + t),
            inverse: 1.0 / (alpha + t),
        })
        .collect();
    let mut blocks = Vec::new();
    for frequency in &sample.frequencies {
        let chances = variant.chances(frequency.x);
        if chances == 0.0 {
            continue;
        }
        let inverse = 1.0 / (b + chances - 1.0);
        let ln_odds = libm::log(a * inverse);
        let power = r + f64::from(frequency.x);
        let cells = sample.cells[frequency.cells.clone()].chunks(BLOCK);
        blocks.extend(cells.map(|cells| Block {
            cells,
            power,
            ln_odds,
            inverse,
        }));
    }
    let mut total = Evaluation {
        value: 0.0,
        gradient: [0.0; 4],
        hessian: [[0.0; 4]; 4],
    };
    for (block, sums) in blocks.iter().zip(sum_blocks(&blocks, &ages, threads)) {
        sums.add_to(&mut total, block, a);
    }
    add_frequencies(&mut total, sample, variant, parameters);
    add_exposures(&mut total, sample, parameters, &ages);
    mirror(&mut total);
    total
}

/// The terms that depend on x alone.
///
/// The Gamma functions and their derivatives differ from those of the x before by a few factors and terms.
fn add_frequencies(
    total: &mut Evaluation<4>,
    sample: &Sample,
    variant: Variant,
    [r, _, a, b]: &[f64; 4],
) {
    let mut purchases = Rising::new(*r);
    let (mut stays, mut both) = (Rising::new(*b), Rising::new(a + b));
    for frequency in &sample.frequencies {
        let customers = frequency.customers;
        purchases.advance(f64::from(frequency.x));
        total.value += customers * purchases.ln;
        total.gradient[0] += customers * purchases.slope;
        total.hessian[0][0] += customers * purchases.curvature;
        let chances = variant.chances(frequency.x);
        stays.advance(chances);
        both.advance(chances);
        total.value += customers * (stays.ln - both.ln);
        total.gradient[2] -= customers * both.slope;
        total.gradient[3] += customers * (stays.slope - both.slope);
        total.hessian[2][2] -= customers * both.curvature;
        total.hessian[2][3] -= customers * both.curvature;
        total.hessian[3][3] += customers * (stays.curvature - both.curvature);
    }
}

/// The terms r ln α - R ln(α + T).
fn add_exposures(
    total: &mut Evaluation<4>,
    sample: &Sample,
    [r, alpha, ..]: &[f64; 4],
    ages: &[Age],
) {
    let ln_alpha = libm::log(*alpha);
    for exposure in &sample.exposures {
        let age = &ages[exposure.t as usize];
        let customers = exposure.customers;
        let powers = r * customers + exposure.repeat_purchases;
        total.value += r * customers * ln_alpha - powers * age.ln;
        total.gradient[0] += customers * (ln_alpha - age.ln);
        total.gradient[1] += r * customers / alpha - powers * age.inverse;
        total.hessian[0][1] += customers * (1.0 / alpha - age.inverse);
        total.hessian[1][1] += powers * age.inverse * age.inverse - r * customers / (alpha * alpha);
    }
}

/// Sums over the cells of a block for the term ln(1 + e^D). With w = count · P(left), e its derivative by D,
/// d = ∂D/∂r = ln(α+T) - ln(α+tx) and g = 1/(α+T) - 1/(α+tx), which is ∂D/∂α over R.
#[derive(Clone, Copy, Default)]
struct Left {
    value: f64,
    w: f64,
    w_d: f64,
    w_g: f64,
    /// w g (1/(α+T) + 1/(α+tx)), minus the derivative of w g by α.
    w_gg: f64,
    e: f64,
    e_d: f64,
    e_g: f64,
    e_dd: f64,
    e_dg: f64,
    e_gg: f64,
}

impl Left {
    fn of(block: &Block<'_>, ages: &[Age]) -> Self {
        let mut sum = Self::default();
        let mut ln = LnSum::default();
        for cell in block.cells {
            let (now, last) = (&ages[cell.t as usize], &ages[cell.tx as usize]);
            let d = now.ln - last.ln;
            let odds = block.ln_odds + block.power * d;
            // ln(1 + e^D) and its slopes, without overflow on either side.
            let small = libm::exp(-odds.abs());
            let share = 1.0 / (1.0 + small);
            let (left, alive) = if odds > 0.0 {
                (share, small * share)
            } else {
                (small * share, share)
            };
            sum.value += cell.count * odds.max(0.0);
            ln.add(1.0 + small, cell.count);
            let w = cell.count * left;
            let e = w * alive;
            let g = now.inverse - last.inverse;
            let (e_d, e_g) = (e * d, e * g);
            sum.w += w;
            sum.w_d += w * d;
            sum.w_g += w * g;
            sum.w_gg += w * g * (now.inverse + last.inverse);
            sum.e += e;
            sum.e_d += e_d;
            sum.e_g += e_g;
            sum.e_dd += e_d * d;
            sum.e_dg += e_d * g;
            sum.e_gg += e_g * g;
        }
        sum.value += ln.total();
        sum
    }

    /// D depends on a through ln a and on b through -ln(b+k-1).
    fn add_to(&self, total: &mut Evaluation<4>, block: &Block<'_>, a: f64) {
        let (power, by_a, by_b) = (block.power, 1.0 / a, -block.inverse);
        total.value += self.value;
        total.gradient[0] += self.w_d;
        total.gradient[1] += power * self.w_g;
        total.gradient[2] += by_a * self.w;
        total.gradient[3] += by_b * self.w;
        total.hessian[0][0] += self.e_dd;
        total.hessian[0][1] += power * self.e_dg + self.w_g;
        total.hessian[0][2] += by_a * self.e_d;
        total.hessian[0][3] += by_b * self.e_d;
        total.hessian[1][1] += power * (power * self.e_gg - self.w_gg);
        total.hessian[1][2] += by_a * power * self.e_g;
        total.hessian[1][3] += by_b * power * self.e_g;
        total.hessian[2][2] += by_a * by_a * (self.e - self.w);
        total.hessian[2][3] += by_a * by_b * self.e;
        total.hessian[3][3] += by_b * by_b * (self.e + self.w);
    }
}

fn sum_blocks(blocks: &[Block<'_>], ages: &[Age], threads: usize) -> Vec<Left> {
    let sum = |own: &[Block<'_>]| own.iter().map(|block| Left::of(block, ages)).collect();
    let cells: usize = blocks.iter().map(|block| block.cells.len()).sum();
    // A thread costs more than a few thousand cells.
    let threads = threads.clamp(1, cells / BLOCK + 1);
    if threads == 1 {
        return sum(blocks);
    }
    let share = blocks.len().div_ceil(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = blocks
            .chunks(share)
            .map(|own| scope.spawn(move || sum(own)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| match worker.join() {
                Ok(sums) => sums,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

/// Only the upper triangle was summed.
fn mirror(total: &mut Evaluation<4>) {
    for row in 1..4 {
        for column in 0..row {
            total.hessian[row][column] = total.hessian[column][row];
        }
    }
}
