//! Places in lists of customers by currency and amount, as page tokens hold them.

use money::Currency;
use read_model::Key as _;
use server::invalid;
use tonic::Status;
use uuid::Uuid;

use crate::read_model::work::Place;

/// The bytes of a place.
pub(super) fn write(place: Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    (place.currency.to_string(), place.margin, place.id).encode(&mut bytes);
    bytes
}

/// The place that these bytes hold.
pub(super) fn read(mut bytes: &[u8]) -> Result<Place, Status> {
    let place = <(String, i64, Uuid)>::decode(&mut bytes).filter(|_| bytes.is_empty());
    let place = place.and_then(|(currency, margin, id)| {
        let currency: Currency = currency.parse().ok()?;
        Some(Place {
            currency,
            margin,
            id,
        })
    });
    place.ok_or_else(|| invalid("page_token", "is not a token of an earlier page"))
}
