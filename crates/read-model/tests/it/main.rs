//! The promises of the store, kept on a real folder: what is read back is right, or nothing is.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod model;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod workload;
