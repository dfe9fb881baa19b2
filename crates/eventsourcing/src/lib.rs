//! The shape of an event-sourced aggregate: decide, evolve, and how rules are tested.
