//! Prints a table of synthetic customers, the same for the same seed: `simulate CUSTOMERS SEED`.
//!
//! The generator: BG/NBD and Gamma-Gamma with the parameters of CDNOW. A customer is acquired on a uniformly drawn day
//! of the first 182 days and seen until day 364 (T from 183 to 364 days). Purchases of one day are one.

use std::error::Error;
use std::io::{BufWriter, Write as _, stdout};

use customer_value::Simulator;
use customer_value::bg_nbd::{Model, Parameters, Variant};

const CDNOW: Parameters = Parameters {
    r: 0.24,
    alpha: 4.41,
    a: 0.79,
    b: 2.43,
};
/// p, q, v.
const SPEND: [f64; 3] = [6.25, 3.74, 15.4];
const LAST_DAY: i32 = 364;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: simulate CUSTOMERS SEED");
    let (customers, seed): (u64, u64) = (next()?.parse()?, next()?.parse()?);
    let model = Model::new(Variant::BgNbd, CDNOW).ok_or("no model")?;
    let mut simulator = Simulator::new(model, seed);
    let mut out = BufWriter::new(stdout().lock());
    writeln!(out, "customer_id,x,tx_days,T_days,repeat_spend")?;
    for id in 1..=customers {
        let first = i32::try_from(simulator.below(182))?;
        let cell = simulator.customer_by_day(first, LAST_DAY, 7.0);
        let (x, tx) = (cell.x(), cell.last_day() - first);
        let spend = if x == 0 {
            0.0
        } else {
            simulator.mean_spend(x, SPEND) * f64::from(x)
        };
        writeln!(out, "{id},{x},{tx},{},{spend:.2}", LAST_DAY - first)?;
    }
    out.flush()?;
    Ok(())
}
