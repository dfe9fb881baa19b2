//! Times the three works of `scripts/bench-value` on a table of customers and prints one JSON object.
//!
//! `time_value FILE RUNS THREADS`: FILE has the columns `customer_id`, x, `tx_days`, `T_days`, `repeat_spend`. Reading it is not
//! timed. CPU time is that of the process, all threads together, where the system tells it, else wall time.

#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;
use std::time::Instant;

use customer_value::bg_nbd::{Variant, fit};
use customer_value::gamma_gamma::{self, SpendTable};
use customer_value::{Cell, Histogram, Sample, Terms, Unit, Valuer};
use money::Money;

/// Seconds that a run takes at least.
const SHORTEST_RUN: f64 = 0.5;

struct Customers {
    cells: Vec<Cell>,
    spends: Vec<(u32, Money)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: time_value FILE RUNS THREADS")
    };
    let (file, runs, threads) = (next()?, next()?.parse()?, next()?.parse()?);
    let customers = read(&file)?;
    let fitted = time(runs, || {
        fit(&sample(&customers.cells), Variant::BgNbd, threads)
    });
    let model = fitted.result?.model;
    let spend = time(runs, || {
        gamma_gamma::fit(&SpendTable::of(customers.spends.iter().copied())?)
    });
    let spend_model = spend.result?.model;
    let valued = time(runs, || {
        let terms = Terms::new(12, 0.15, Unit::Weeks).ok_or("no terms")?;
        let mut valuer = Valuer::new(model, terms);
        let mut total = 0.0;
        for (cell, (x, money)) in customers.cells.iter().zip(&customers.spends) {
            let seen = cell.seen(0, Unit::Weeks).map_err(|_| "a bad row")?;
            let spend = spend_model.expected_spend(*x, major(money.minor_units));
            total += spend * valuer.purchases(&seen);
        }
        Ok::<f64, &str>(total)
    });
    let log_likelihood = fitted.result.map(|fit| fit.log_likelihood)?;
    println!(
        "{{\"customers\":{},\"log_likelihood\":{log_likelihood},\"equity_12m\":{},{},{},{}}}",
        customers.cells.len(),
        valued.result?,
        fitted.times.json("fit"),
        spend.times.json("spend"),
        valued.times.json("value"),
    );
    Ok(())
}

fn read(file: &str) -> Result<Customers, Box<dyn Error>> {
    let mut customers = Customers {
        cells: Vec::new(),
        spends: Vec::new(),
    };
    let usd = "USD".parse()?;
    for record in csv::Reader::from_path(file)?.records() {
        let record = record?;
        let field = |at: usize| record.get(at).ok_or("a column is missing");
        let (x, tx, t) = (
            field(1)?.parse()?,
            field(2)?.parse::<i32>()?,
            field(3)?.parse::<i32>()?,
        );
        customers.cells.push(Cell::new(-t, tx - t, x)?);
        customers
            .spends
            .push((x, Money::new(usd, minor(field(4)?)?)));
    }
    Ok(customers)
}

fn sample(cells: &[Cell]) -> Sample {
    let histogram: Histogram = cells.iter().copied().collect();
    Sample::by_day(&histogram, 0, Unit::Weeks).unwrap_or_else(|_| Sample::continuous(&[]))
}

/// The digits of an amount in major units with at most two decimals, as minor units.
fn minor(text: &str) -> Result<i64, Box<dyn Error>> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    Ok(format!("{whole}{places:0<2}").parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "amounts below 2^53 minor units")]
fn major(minor: i64) -> f64 {
    minor as f64 / 100.0
}

struct Timed<T> {
    result: T,
    times: Times,
}

/// Seconds of each run.
struct Times {
    cpu: Vec<f64>,
    wall: Vec<f64>,
}

/// Times `work`, each run long enough for the system's clock of CPU time.
fn time<T>(runs: usize, work: impl Fn() -> T) -> Timed<T> {
    let start = Instant::now();
    // Once to warm up; its result is the one that is kept.
    let result = work();
    let once = start.elapsed().as_secs_f64().max(1e-6);
    let mut times = Times {
        cpu: Vec::new(),
        wall: Vec::new(),
    };
    for _ in 0..runs {
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        let mut repeated = 0.0;
        while repeated * once < SHORTEST_RUN {
            std::hint::black_box(work());
            repeated += 1.0;
        }
        let passed = wall.elapsed().as_secs_f64();
        times.wall.push(passed / repeated);
        let used = cpu_seconds().zip(cpu).map(|(after, before)| after - before);
        times.cpu.push(used.unwrap_or(passed) / repeated);
    }
    Timed { result, times }
}

impl Times {
    fn json(&self, name: &str) -> String {
        let list = |times: &[f64]| {
            let times: Vec<String> = times
                .iter()
                .map(|seconds| format!("{seconds:.9}"))
                .collect();
            times.join(",")
        };
        format!(
            "\"{name}_cpu_s\":[{}],\"{name}_wall_s\":[{}]",
            list(&self.cpu),
            list(&self.wall)
        )
    }
}

/// CPU seconds of the process, ended threads included, as Linux counts them: in hundredths.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may contain spaces.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}
