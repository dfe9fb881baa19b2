//! What was measured: rates of loading, and how long answers take.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tonic::{Response, Status};

use crate::bench::load::quantile;
use crate::bench::millis;
use crate::bench::process::Meter;
use crate::connect::said;
use crate::show::table;

/// What was measured, in the order of measuring.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    #[serde(skip)]
    times: u32,
    #[serde(skip)]
    meter: Meter,
    loaded: Vec<Loaded>,
    asked: Vec<Asked>,
}

/// How fast something was brought in.
#[derive(Debug, Serialize)]
struct Loaded {
    what: String,
    count: u64,
    seconds: f64,
    per_second: f64,
    /// Seconds that the services spent on a processor: on a busy machine they say more.
    processor_seconds: f64,
}

/// When something began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started {
    at: Instant,
    processor_seconds: f64,
}

/// How long answers took, in milliseconds.
#[derive(Debug, Serialize)]
struct Asked {
    what: String,
    times: usize,
    median_ms: f64,
    worst_ms: f64,
    /// What the services spent on a processor, on average.
    processor_ms: f64,
}

impl Figures {
    pub(super) const fn new(times: u32, meter: Meter) -> Self {
        Self {
            times,
            meter,
            loaded: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Something begins.
    pub(super) fn start(&self) -> anyhow::Result<Started> {
        Ok(Started {
            processor_seconds: self.meter.processor_time()?,
            at: Instant::now(),
        })
    }

    /// Notes that so many were brought in since `started`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody counts to 2^52 in a measurement"
    )]
    pub(super) fn loaded(
        &mut self,
        what: &str,
        count: u64,
        started: Started,
    ) -> anyhow::Result<()> {
        let seconds = started.at.elapsed().as_secs_f64();
        let processor_seconds = self.meter.processor_time()? - started.processor_seconds;
        tracing::info!(what, count, seconds, processor_seconds, "loaded");
        self.loaded.push(Loaded {
            what: what.to_owned(),
            count,
            seconds,
            per_second: count as f64 / seconds,
            processor_seconds,
        });
        Ok(())
    }

    /// Asks again and again, each time the question of that number, and notes how long the answers took.
    pub(super) async fn ask<T, F>(
        &mut self,
        what: &str,
        mut ask: impl FnMut(usize) -> F,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let started = self.start()?;
        let mut times = Vec::new();
        for number in 0..self.times as usize {
            let asking = ask(number);
            let started = Instant::now();
            asking
                .await
                .map_err(|status| said(&status).context(what.to_owned()))?;
            times.push(started.elapsed());
        }
        self.took(what, times, started)
    }

    /// Notes how long something took, the first time from `started` on.
    #[expect(clippy::cast_precision_loss, reason = "a few times")]
    pub(super) fn took(
        &mut self,
        what: &str,
        mut times: Vec<Duration>,
        started: Started,
    ) -> anyhow::Result<()> {
        let processor_seconds = self.meter.processor_time()? - started.processor_seconds;
        let processor_ms = processor_seconds * 1_000.0 / times.len().max(1) as f64;
        times.sort_unstable();
        let median_ms = millis(quantile(&times, 50));
        let worst_ms = millis(quantile(&times, 100));
        tracing::info!(what, median_ms, worst_ms, processor_ms, "asked");
        self.asked.push(Asked {
            what: what.to_owned(),
            times: times.len(),
            median_ms,
            worst_ms,
            processor_ms,
        });
        Ok(())
    }
}

/// The figures as a person reads them.
pub(super) fn shown(figures: &Figures) -> String {
    let loaded = figures.loaded.iter().map(|it| {
        vec![
            it.what.clone(),
            it.count.to_string(),
            format!("{:.1}", it.seconds),
            format!("{:.0}", it.per_second),
            format!("{:.1}", it.processor_seconds),
        ]
    });
    let asked = figures.asked.iter().map(|it| {
        vec![
            it.what.clone(),
            it.times.to_string(),
            format!("{:.2}", it.median_ms),
            format!("{:.2}", it.worst_ms),
            format!("{:.2}", it.processor_ms),
        ]
    });
    let loaded = table(
        &[
            "brought in",
            "count",
            "seconds",
            "per second",
            "processor s",
        ],
        loaded.collect(),
    );
    let asked = table(
        &["asked", "times", "median ms", "worst ms", "processor ms"],
        asked.collect(),
    );
    format!("{loaded}\n\n{asked}")
}
