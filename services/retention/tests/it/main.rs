//! Retention through its gRPC edge, one file for each file of `src/api`, and what it is told.

mod batch;
mod customers;
mod events;
mod harness;
mod promises;
mod scoreboard;
mod told;
