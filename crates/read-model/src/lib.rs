//! The disposable read model on sled: rows, positions and a digest in one atomic step.
