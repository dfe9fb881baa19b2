//! What acquisition tells of money: that it was spent to win customers.

use eventsourcing::Time;
use money::Money;
use patron_proto::acquisition::v1 as proto;
use patron_proto::journal::v1::{Received, received::Outcome};
use prost::Message as _;
use read_model::RowsMut;
use runtime::{ApplyError, Fact, Foreign, Receipt};
use server::Wrong;

use crate::read_model::equity;
use crate::wire::purchase::amount;
use crate::wire::time;

/// The kind of event that tells it.
pub(crate) const SPENT: &str = "patron.acquisition.v1.SpendRecorded";

/// Money was spent to win customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spend {
    pub(crate) incurred_at: Time,
    pub(crate) amount: Money,
    /// It takes an earlier one back.
    pub(crate) taken_back: bool,
}

/// What an event means here: it informs the view alone. `None` if it tells of something else.
pub(crate) fn receive(event: &Foreign) -> Option<Receipt> {
    match read(&event.kind, event.schema, &event.payload) {
        Ok(None) => None,
        Ok(Some(_)) => Some(Receipt::Applied),
        Err(wrong) => Some(Receipt::Parked(wrong.to_string())),
    }
}

/// Folds the record of an event of acquisition, if it tells of money.
pub(crate) fn apply(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
    let received = Received::decode(fact.event.payload.clone());
    let received = received.map_err(|error| ApplyError::Unreadable(error.to_string()))?;
    if !matches!(received.outcome, Some(Outcome::Applied(_))) {
        return Ok(());
    }
    if let Some(spend) = read(&received.r#type, received.schema, &received.payload)? {
        equity::spend::apply(rows, received.event_id, &spend, fact.recorded())?;
    }
    Ok(())
}

fn read(kind: &str, schema: u32, payload: &[u8]) -> Result<Option<Spend>, Wrong> {
    if kind != SPENT {
        return Ok(None);
    }
    if schema != 1 {
        let what = format!("schema {schema} is unknown to this release");
        return Err(Wrong::new(kind, what));
    }
    let event = proto::SpendRecorded::decode(payload);
    let event = event.map_err(|error| Wrong::new(kind, error))?;
    Ok(Some(Spend {
        incurred_at: time("occurred_at", event.occurred_at.as_ref())?,
        amount: amount("amount", event.amount.as_ref())?,
        taken_back: !event.reverses.is_empty(),
    }))
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use patron_proto::acquisition::v1 as proto;
    use patron_proto::types::v1::Money;
    use prost::Message as _;
    use server::timestamp;

    use super::{SPENT, read};

    fn spent() -> proto::SpendRecorded {
        proto::SpendRecorded {
            campaign: "propositions/van-repair/campaigns/fast".to_owned(),
            occurred_at: Some(timestamp(Time::from_days(100))),
            spend_id: "invoice-7".to_owned(),
            amount: Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units: 100_000,
            }),
            ..Default::default()
        }
    }

    #[test]
    fn a_spend_is_an_amount_and_a_moment_and_may_take_another_back() {
        let told = read(SPENT, 1, &spent().encode_to_vec()).unwrap().unwrap();
        assert_eq!(told.amount.minor_units, 100_000);
        assert_eq!((told.incurred_at.day(), told.taken_back), (100, false));
        let back = proto::SpendRecorded {
            reverses: "invoice-6".to_owned(),
            ..spent()
        };
        let told = read(SPENT, 1, &back.encode_to_vec()).unwrap().unwrap();
        assert!(told.taken_back);
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        assert_eq!(
            read("patron.acquisition.v1.CampaignEnded", 9, &[]),
            Ok(None)
        );
        assert!(read(SPENT, 2, &spent().encode_to_vec()).is_err());
        let without = proto::SpendRecorded {
            amount: None,
            ..spent()
        };
        assert!(read(SPENT, 1, &without.encode_to_vec()).is_err());
    }
}
