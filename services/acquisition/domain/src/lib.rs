//! The rules of creating customers: propositions, campaigns, prospects. Pure.
