//! The retention service: keeps customers.
