//! A record as it stands in the store.
//!
//! ```text
//!   version  time     key                headers                                     value
//!   1        8        4 + n              4 + count * (4 + n, 4 + n)                  the rest
//! ```
//! Numbers are little-endian; the length of an absent key is `u32::MAX`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use eventsourcing::Time;
use journal::{Header, Record};

const VERSION: u8 = 1;
const ABSENT: u32 = u32::MAX;

/// The bytes of a record and its time. None if a part does not fit a 32-bit length.
pub(crate) fn encode(record: &Record, time: Time) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(32 + record.size() + 8 * record.headers.len());
    bytes.put_u8(VERSION);
    bytes.put_i64_le(time.micros());
    match &record.key {
        Some(key) => put(&mut bytes, key)?,
        None => bytes.put_u32_le(ABSENT),
    }
    bytes.put_u32_le(length(record.headers.len())?);
    for header in &record.headers {
        put(&mut bytes, header.name.as_bytes())?;
        put(&mut bytes, &header.value)?;
    }
    bytes.put_slice(&record.value);
    Some(bytes)
}

/// The record and its time. None if these are not the bytes of one.
pub(crate) fn decode(stored: &[u8]) -> Option<(Record, Time)> {
    let mut bytes = BytesMut::from(stored).freeze();
    if bytes.try_get_u8().ok()? != VERSION {
        return None;
    }
    let time = Time::from_micros(bytes.try_get_i64_le().ok()?);
    let key = take(&mut bytes)?;
    let count = bytes.try_get_u32_le().ok()?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let name = take(&mut bytes)??;
        headers.push(Header {
            name: String::from_utf8(name.to_vec()).ok()?,
            value: take(&mut bytes)??,
        });
    }
    let record = Record {
        key,
        headers,
        value: bytes,
    };
    Some((record, time))
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    bytes.put_u32_le(length(part.len())?);
    bytes.put_slice(part);
    Some(())
}

fn length(length: usize) -> Option<u32> {
    u32::try_from(length)
        .ok()
        .filter(|length| *length != ABSENT)
}

/// The next part; the inner option is for one that is absent.
#[expect(clippy::option_option, reason = "cut off and absent are two things")]
fn take(bytes: &mut Bytes) -> Option<Option<Bytes>> {
    let length = bytes.try_get_u32_le().ok()?;
    if length == ABSENT {
        return Some(None);
    }
    let length = usize::try_from(length).ok()?;
    (length <= bytes.len()).then(|| Some(bytes.split_to(length)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::Time;
    use journal::{Header, Record};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{decode, encode};

    fn some_bytes() -> impl Strategy<Value = Bytes> {
        vec(any::<u8>(), 0..40).prop_map(Bytes::from)
    }

    fn record() -> impl Strategy<Value = Record> {
        let header = (".{0,10}", some_bytes()).prop_map(|(name, value)| Header { name, value });
        (
            proptest::option::of(some_bytes()),
            vec(header, 0..4),
            some_bytes(),
        )
            .prop_map(|(key, headers, value)| Record {
                key,
                headers,
                value,
            })
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(record in record(), micros: i64) {
            let time = Time::from_micros(micros);
            let bytes = encode(&record, time).unwrap();
            prop_assert_eq!(decode(&bytes), Some((record, time)));
        }

        #[test]
        fn other_bytes_are_refused_or_are_a_record(bytes in vec(any::<u8>(), 0..80)) {
            if let Some((record, time)) = decode(&bytes) {
                prop_assert_eq!(encode(&record, time), Some(bytes));
            }
        }
    }
}
