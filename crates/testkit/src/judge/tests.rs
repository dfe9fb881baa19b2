//! Histories and logs that are wrong in one way each, and what the judge says of them.
