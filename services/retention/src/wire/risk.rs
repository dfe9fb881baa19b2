//! Risk: its bands and what speaks for them.

use patron_proto::retention::v1 as proto;
use retention_domain::risk::{Band, Driver};
use server::pairs;

pairs!(band_out, band: Band = proto::RiskBand {
    Low = Low, Medium = Medium, High = High,
});
pairs!(driver_out, driver: Driver = proto::RiskDriver {
    PromiseBroken = PromiseBroken, PromiseOverdue = PromiseOverdue, Notice = Notice,
    LowPAlive = LowPAlive, Reversal = Reversal,
});
