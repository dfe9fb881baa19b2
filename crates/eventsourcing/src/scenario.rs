//! Rules as sentences: given what has happened, when somebody wants something, then.
//!
//! ```
//! # use eventsourcing::{Aggregate, scenario::given};
//! # #[derive(Debug, Default)] struct Door { open: bool }
//! # #[derive(Debug, Clone, PartialEq)] enum Event { Opened }
//! # #[derive(Debug, PartialEq)] enum Refusal { AlreadyOpen }
//! # enum Command { Open }
//! # impl Aggregate for Door {
//! #     type Command = Command; type Event = Event; type Refusal = Refusal;
//! #     fn decide(&self, _: Command) -> Result<Vec<Event>, Refusal> {
//! #         if self.open { Err(Refusal::AlreadyOpen) } else { Ok(vec![Event::Opened]) }
//! #     }
//! #     fn evolve(&mut self, _: &Event) { self.open = true; }
//! # }
//! given::<Door>([]).when(Command::Open).then([Event::Opened]);
//! given::<Door>([Event::Opened]).when(Command::Open).refused(Refusal::AlreadyOpen);
//! ```

use std::fmt::Debug;

use crate::Aggregate;

/// What has happened before.
#[derive(Debug)]
pub struct Given<A>(A);

/// What came of the command.
#[derive(Debug)]
pub struct Outcome<E, R>(Result<Vec<E>, R>);

/// An aggregate to which these events have happened.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.evolve(&event);
    }
    Given(state)
}

impl<A: Aggregate> Given<A> {
    /// Lets this command happen too, and what it causes.
    ///
    /// # Panics
    /// If the command is refused: the story would be another one.
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "a story that cannot be told must fail its test"
    )]
    pub fn and(mut self, command: A::Command) -> Self
    where
        A::Refusal: Debug,
    {
        match self.0.decide(command) {
            Ok(events) => events.iter().for_each(|event| self.0.evolve(event)),
            Err(refusal) => panic!("this part of the story was refused: {refusal:?}"),
        }
        self
    }

    /// Asks for something.
    pub fn when(self, command: A::Command) -> Outcome<A::Event, A::Refusal> {
        Outcome(self.0.decide(command))
    }

    /// The state at this point of the story.
    pub fn state(&self) -> &A {
        &self.0
    }
}

impl<E: Debug, R: Debug> Outcome<E, R> {
    /// Exactly these events follow.
    ///
    /// # Panics
    /// If anything else does.
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn then(self, expected: impl IntoIterator<Item = E>)
    where
        E: PartialEq,
    {
        match self.0 {
            Ok(events) => assert_eq!(events, expected.into_iter().collect::<Vec<_>>()),
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// It is allowed and changes nothing.
    ///
    /// # Panics
    /// If it is refused or events follow.
    pub fn nothing(self)
    where
        E: PartialEq,
    {
        self.then([]);
    }

    /// It is refused for exactly this reason.
    ///
    /// # Panics
    /// If it is allowed, or refused for another reason.
    #[expect(clippy::panic, reason = "an assertion")]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a story reads better without ampersands"
    )]
    pub fn refused(self, expected: R)
    where
        R: PartialEq,
    {
        match self.0 {
            Ok(events) => panic!("allowed: {events:?}"),
            Err(refusal) => assert_eq!(refusal, expected),
        }
    }

    /// What came of it, for closer inspection.
    pub fn result(self) -> Result<Vec<E>, R> {
        self.0
    }
}
