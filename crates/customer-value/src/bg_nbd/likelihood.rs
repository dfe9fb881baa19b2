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
use crate::special::{digamma_trigamma, ln_rising};

/// Cells are summed in blocks of this size and the blocks in their order, so the sum has the same bits for
/// any number of threads.
const BLOCK: usize = 8_192;

/// Per distinct time: ln(α + t) and 1/(α + t).
struct Age {
    ln: f64,
    inverse: f64,
}

/// Per distinct x: R, ln(a/(b+k-1)) and 1/(b+k-1).
struct Count {
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
    let counts: Vec<Count> = sample
        .frequencies
        .iter()
        .map(|(x, _)| {
            let inverse = 1.0 / (b + variant.chances(*x) - 1.0);
            Count {
                power: r + f64::from(*x),
                ln_odds: libm::log(a * inverse),
                inverse,
            }
        })
        .collect();
    let without_chance = match variant {
        Variant::BgNbd => sample.one_time,
        Variant::MbgNbd => 0,
    };
    let cells = sample.cells.get(without_chance..).unwrap_or_default();
    let left = sum_blocks(cells, &ages, &counts, threads);
    let mut total = left.evaluation(a);
    add_frequencies(&mut total, sample, variant, parameters);
    add_exposures(&mut total, sample, parameters, &ages);
    mirror(&mut total);
    total
}

/// The terms that depend on x alone.
fn add_frequencies(
    total: &mut Evaluation<4>,
    sample: &Sample,
    variant: Variant,
    [r, _, a, b]: &[f64; 4],
) {
    let at_r = digamma_trigamma(*r);
    let at_b = digamma_trigamma(*b);
    let at_ab = digamma_trigamma(a + b);
    for (x, customers) in &sample.frequencies {
        let (real_x, chances) = (f64::from(*x), variant.chances(*x));
        if *x > 0 {
            let at = digamma_trigamma(r + real_x);
            total.value += customers * ln_rising(*r, real_x);
            total.gradient[0] += customers * (at.0 - at_r.0);
            total.hessian[0][0] += customers * (at.1 - at_r.1);
        }
        if chances > 0.0 {
            let (stay, all) = (
                digamma_trigamma(b + chances),
                digamma_trigamma(a + b + chances),
            );
            total.value += customers * (ln_rising(*b, chances) - ln_rising(a + b, chances));
            total.gradient[2] += customers * (at_ab.0 - all.0);
            total.gradient[3] += customers * (stay.0 - at_b.0 + at_ab.0 - all.0);
            total.hessian[2][2] += customers * (at_ab.1 - all.1);
            total.hessian[2][3] += customers * (at_ab.1 - all.1);
            total.hessian[3][3] += customers * (stay.1 - at_b.1 + at_ab.1 - all.1);
        }
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

/// Sums over cells of the term ln(1 + e^D): `w` is count · P(left), `e` its derivative by D.
#[derive(Clone, Copy, Default)]
struct Left {
    value: f64,
    w: f64,
    w_r: f64,
    w_alpha: f64,
    w_b: f64,
    e: f64,
    e_r: f64,
    e_alpha: f64,
    e_b: f64,
    rr: f64,
    r_alpha: f64,
    r_b: f64,
    alpha_alpha: f64,
    alpha_b: f64,
    bb: f64,
}

impl Left {
    fn of(cells: &[Packed], ages: &[Age], counts: &[Count]) -> Self {
        let mut sum = Self::default();
        for cell in cells {
            let (count, now) = (&counts[cell.x as usize], &ages[cell.t as usize]);
            let last = &ages[cell.tx as usize];
            sum.add(cell.count, count, now, last);
        }
        sum
    }

    #[inline]
    fn add(&mut self, customers: f64, count: &Count, now: &Age, last: &Age) {
        let by_r = now.ln - last.ln;
        let odds = count.ln_odds + count.power * by_r;
        // ln(1 + e^D) and its slope, without overflow on either side.
        let small = libm::exp(-odds.abs());
        let share = 1.0 / (1.0 + small);
        let left = if odds > 0.0 { share } else { small * share };
        self.value += customers * (odds.max(0.0) + libm::log1p(small));
        let w = customers * left;
        let e = w * if odds > 0.0 { small * share } else { share };
        let gap = now.inverse - last.inverse;
        let by_alpha = count.power * gap;
        let by_b = -count.inverse;
        self.w += w;
        self.w_r += w * by_r;
        self.w_alpha += w * by_alpha;
        self.w_b += w * by_b;
        self.e += e;
        self.e_r += e * by_r;
        self.e_alpha += e * by_alpha;
        self.e_b += e * by_b;
        self.rr += e * by_r * by_r;
        self.r_alpha += e * by_r * by_alpha + w * gap;
        self.r_b += e * by_r * by_b;
        self.alpha_alpha += e * by_alpha * by_alpha - w * by_alpha * (now.inverse + last.inverse);
        self.alpha_b += e * by_alpha * by_b;
        self.bb += (e + w) * by_b * by_b;
    }

    fn plus(mut self, other: &Self) -> Self {
        self.value += other.value;
        self.w += other.w;
        self.w_r += other.w_r;
        self.w_alpha += other.w_alpha;
        self.w_b += other.w_b;
        self.e += other.e;
        self.e_r += other.e_r;
        self.e_alpha += other.e_alpha;
        self.e_b += other.e_b;
        self.rr += other.rr;
        self.r_alpha += other.r_alpha;
        self.r_b += other.r_b;
        self.alpha_alpha += other.alpha_alpha;
        self.alpha_b += other.alpha_b;
        self.bb += other.bb;
        self
    }

    /// D depends on a only through ln a, so its derivatives are those by D over a.
    fn evaluation(&self, a: f64) -> Evaluation<4> {
        Evaluation {
            value: self.value,
            gradient: [self.w_r, self.w_alpha, self.w / a, self.w_b],
            hessian: [
                [self.rr, self.r_alpha, self.e_r / a, self.r_b],
                [0.0, self.alpha_alpha, self.e_alpha / a, self.alpha_b],
                [0.0, 0.0, (self.e - self.w) / (a * a), self.e_b / a],
                [0.0, 0.0, 0.0, self.bb],
            ],
        }
    }
}

fn sum_blocks(cells: &[Packed], ages: &[Age], counts: &[Count], threads: usize) -> Left {
    let blocks: Vec<&[Packed]> = cells.chunks(BLOCK).collect();
    let threads = threads.clamp(1, blocks.len().max(1));
    let block_sums: Vec<Left> = if threads == 1 {
        blocks
            .iter()
            .map(|block| Left::of(block, ages, counts))
            .collect()
    } else {
        let share = blocks.len().div_ceil(threads);
        thread::scope(|scope| {
            let workers: Vec<_> = blocks
                .chunks(share)
                .map(|own| {
                    scope.spawn(move || {
                        own.iter()
                            .map(|block| Left::of(block, ages, counts))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| match worker.join() {
                    Ok(sums) => sums,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    };
    block_sums.iter().fold(Left::default(), Left::plus)
}

/// Only the upper triangle was summed.
fn mirror(total: &mut Evaluation<4>) {
    for row in 1..4 {
        for column in 0..row {
            total.hessian[row][column] = total.hessian[column][row];
        }
    }
}
