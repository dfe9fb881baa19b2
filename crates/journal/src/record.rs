//! What a log holds, and what it answers to an append.

use bytes::Bytes;
use eventsourcing::Time;

use crate::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Offset};

/// What is appended: opaque to the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// What the record is about, for topics that others read and for [`Kind::Keys`](crate::Kind::Keys).
    pub key: Option<Bytes>,
    /// Named values beside the value, in order; names may repeat.
    pub headers: Vec<Header>,
    /// The content; may be empty.
    pub value: Bytes,
}

/// A named value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value; may be empty.
    pub value: Bytes,
}

/// A record in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands in its partition.
    pub offset: Offset,
    /// What the log's own clock showed at the append. A machine's clock may step back, and so may
    /// this: who needs a time that never does takes the larger one of it and its predecessor.
    pub time: Time,
    /// What was appended.
    pub record: Record,
}

/// What is known about a record after an attempt to append it. Says nothing about acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an append that failed is only told here"]
pub enum Append {
    /// It stands in the log, at least once, and lasts; at this offset, if the log can tell. A broker that finds that
    /// it was sent a batch twice, longer ago than it remembers, cannot: then the first record of that batch has no
    /// offset, and those behind it may have a wrong one. So an offset counts in an unbroken row, not alone.
    Written(Option<Offset>),
    /// It does not stand in the log and never will; the text says why.
    NotWritten(String),
    /// It may stand in the log, or come to stand there later; the text says what happened.
    Unknown(String),
}

impl Append {
    /// Whether it stands in the log for certain.
    pub const fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }
}

impl Record {
    /// A record that is nothing but its value.
    pub fn value(value: impl Into<Bytes>) -> Self {
        Self {
            key: None,
            headers: Vec::new(),
            value: value.into(),
        }
    }

    /// The bytes of key, headers and value together.
    pub fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|header| header.name.len() + header.value.len())
            .sum();
        self.key.as_ref().map_or(0, Bytes::len) + headers + self.value.len()
    }
}

/// Collects what one [`Tail::next`](crate::Tail::next) may hand out, for whoever writes a log.
#[derive(Debug, Default)]
pub struct Batch {
    records: Vec<Stored>,
    bytes: usize,
}

impl Batch {
    /// Takes `stored` in, or gives it back when the batch is full without it.
    pub fn offer(&mut self, stored: Stored) -> Result<(), Stored> {
        let size = stored.record.size();
        let over = self.bytes.saturating_add(size) > MAX_BATCH_BYTES;
        if self.records.len() >= MAX_BATCH_RECORDS || (over && !self.records.is_empty()) {
            return Err(stored);
        }
        self.bytes += size;
        self.records.push(stored);
        Ok(())
    }

    /// The first of `records` that fit.
    pub fn first_of(records: impl IntoIterator<Item = Stored>) -> Vec<Stored> {
        let mut batch = Self::default();
        for stored in records {
            if batch.offer(stored).is_err() {
                break;
            }
        }
        batch.into_records()
    }

    /// What was taken in, in order.
    pub fn into_records(self) -> Vec<Stored> {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::Time;

    use super::{Batch, Header, Record, Stored};
    use crate::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS};

    fn stored(offset: u64, bytes: usize) -> Stored {
        Stored {
            offset,
            time: Time::EPOCH,
            record: Record::value(vec![0; bytes]),
        }
    }

    #[test]
    fn the_size_counts_key_headers_and_value() {
        let record = Record {
            key: Some(Bytes::from_static(b"abc")),
            headers: vec![Header {
                name: "four".to_owned(),
                value: Bytes::from_static(b"fives"),
            }],
            value: Bytes::from_static(b"sixsix"),
        };
        assert_eq!(record.size(), 3 + 4 + 5 + 6);
    }

    #[test]
    fn a_batch_ends_at_its_number_of_records() {
        let batch = Batch::first_of((0..5_000).map(|offset| stored(offset, 1)));
        assert_eq!(batch.len(), MAX_BATCH_RECORDS);
    }

    #[test]
    fn a_batch_ends_at_its_number_of_bytes() {
        let batch = Batch::first_of((0..10).map(|offset| stored(offset, MAX_BATCH_BYTES / 2)));
        assert_eq!(batch.len(), 2);
    }

    #[test]
    fn a_record_larger_than_a_batch_comes_alone() {
        let batch = Batch::first_of((0..2).map(|offset| stored(offset, MAX_BATCH_BYTES + 1)));
        assert_eq!(batch.len(), 1);
    }
}
