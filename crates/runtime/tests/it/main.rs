//! Tests of the engine as a whole: over a simulated log, and over real folders.

mod checker;
mod clients;
mod history;
mod journals;
mod lifecycle;
mod losses;
mod mutants;
mod releases;
mod replica;
mod simulation;
mod tails;
mod tally;
mod world;
