//! The events of acquisition as the journal holds them, for ever.
//!
//! Every kind and schema that was ever written can be read here; a new schema gets a reader beside the old
//! one. The bytes of each are kept in `tests/golden`.

mod merging;
mod proposition;
mod prospect;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use eventsourcing::Time;
use journal::Event;
use patron_proto::journal::v1::KeysDestroyed;
use prost::{Message, Name};
use server::{Wrong, timestamp};

pub(crate) use proposition::{of_proposition, proposition};
pub(crate) use prospect::{of_prospect, prospect};

/// The package of every event here.
const PACKAGE: &str = "patron.acquisition.v1.";
/// The schema of every event that this release writes.
const SCHEMA: u32 = 1;

fn public<M: Message + Name>(message: &M) -> Event {
    Event {
        kind: M::full_name(),
        schema: SCHEMA,
        public: true,
        payload: Bytes::from(message.encode_to_vec()),
    }
}

/// What the service notes for itself: no event for others.
fn keys_destroyed(at: Time) -> Event {
    let message = KeysDestroyed {
        occurred_at: Some(timestamp(at)),
    };
    Event {
        public: false,
        ..public(&message)
    }
}

fn read<M: Message + Name + Default>(event: &Event) -> Result<M, Wrong> {
    M::decode(event.payload.clone()).map_err(|error| Wrong::new(&event.kind, error))
}

fn unknown(event: &Event) -> Wrong {
    Wrong::new(
        &event.kind,
        format!("schema {} is unknown to this release", event.schema),
    )
}
