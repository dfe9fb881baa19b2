//! Tests of the engine as a whole: over a simulated log, and over real folders.

mod checker;
mod clients;
mod history;
mod journals;
mod losses;
mod mutants;
mod simulation;
mod tally;
mod world;
