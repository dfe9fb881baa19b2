//! The rules of keeping customers: relationships, promises, purchases, actions. Pure.
