//! Retention through its gRPC edge, one file for each file of `src/api`.
