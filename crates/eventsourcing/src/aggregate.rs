//! A thing with rules: it decides about commands and evolves by events.

/// A thing with rules. A rule is only promised inside one aggregate.
///
/// The implementing type is the aggregate's state. `Default` is the state before the first event.
pub trait Aggregate: Default {
    /// What somebody wants to happen.
    type Command;
    /// What has happened. Events are for ever.
    type Event;
    /// Why a command is not possible, with the data that explains it.
    type Refusal;

    /// Decides what `command` causes in this state: events, none if it changes nothing, or a refusal.
    ///
    /// Time, new identifiers and facts about other aggregates come inside the command.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Applies one event. It cannot fail: what is in the journal has happened.
    fn evolve(&mut self, event: &Self::Event);
}
