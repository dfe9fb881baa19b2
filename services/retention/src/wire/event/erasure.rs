//! Erasures as the journal holds them: one for everybody to hear, one for this service alone.

use eventsourcing::Time;
use patron_proto::journal::v1::KeysDestroyed;
use patron_proto::retention::v1 as proto;
use retention_domain::Event;
use server::{Wrong, timestamp};
use uuid::Uuid;

use super::{public, same};
use crate::wire::time;

pub(super) fn erased(customer: Uuid, read: &proto::CustomerErased) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    let erased_at = time("occurred_at", read.occurred_at.as_ref())?;
    Ok(Event::Erased { erased_at })
}

pub(super) fn destroyed_out(at: Time) -> journal::Event {
    let message = KeysDestroyed {
        occurred_at: Some(timestamp(at)),
    };
    journal::Event {
        public: false,
        ..public(&message)
    }
}

pub(super) fn destroyed(read: &KeysDestroyed) -> Result<Event, Wrong> {
    let destroyed_at = time("occurred_at", read.occurred_at.as_ref())?;
    Ok(Event::KeysDestroyed { destroyed_at })
}

#[cfg(test)]
mod tests {
    use retention_domain::Event;

    use super::super::{read, write};
    use crate::story::{LI, ROSA, day};

    #[test]
    fn that_the_keys_are_destroyed_is_nobody_elses_business() {
        let event = Event::KeysDestroyed {
            destroyed_at: day(150),
        };
        let written = write(ROSA, &event);
        assert!(!written.public);
        assert_eq!(written.kind, "patron.journal.v1.KeysDestroyed");
        // As it was written by the first release that could erase.
        assert_eq!(*written.payload, [0x0a, 5, 0x08, 0x80, 0x82, 0x97, 0x06]);
        assert_eq!(read(ROSA, &written), Ok(event.clone()));
        assert_eq!(write(LI, &event), written);
    }
}
