//! Acquisition through its gRPC edge, one file for each file of `src/api`.

mod campaigns;
mod edge;
mod events;
mod harness;
mod propositions;
mod prospects;
