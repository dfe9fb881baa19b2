//! What all rows add up to, and how that is stored beside them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Digest, Error};

/// The version of the layout in sled; another one is rebuilt.
const FORMAT: u8 = 1;
const CHECKSUM: usize = 16;

/// The state of a store after a batch, or, in memory, after a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// How many batches were written since the generation began.
    pub(crate) batch: u64,
    /// How many rows there are.
    pub(crate) rows: u64,
    /// The sum over these rows.
    pub(crate) digest: Digest,
}

/// Whose rows they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) service: String,
    pub(crate) schema: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    format: u8,
    schema: u32,
    service: &'a str,
    batch: u64,
    rows: u64,
    digest: [u8; 32],
}

impl Summary {
    /// Takes one changed row into account.
    pub(crate) fn replace(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        if let Some(old) = old {
            self.digest.remove(key, old);
            self.rows = self.rows.wrapping_sub(1);
        }
        if let Some(new) = new {
            self.digest.add(key, new);
            self.rows = self.rows.wrapping_add(1);
        }
    }

    /// The stored form, with a checksum at its end.
    pub(crate) fn encode(&self, identity: &Identity) -> Result<Bytes, Error> {
        let mut bytes = postcard::to_stdvec(&Stored {
            format: FORMAT,
            schema: identity.schema,
            service: &identity.service,
            batch: self.batch,
            rows: self.rows,
            digest: self.digest.to_bytes(),
        })
        .map_err(|error| Error::damaged(format!("the summary cannot be written: {error}")))?;
        let checksum = blake3::hash(&bytes);
        bytes.extend(checksum.as_bytes().iter().take(CHECKSUM));
        Ok(bytes.into())
    }

    /// The inverse: the summary and the identity it was written under.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, Identity), Error> {
        let unreadable = || Error::damaged("the summary is unreadable");
        let body = bytes.len().checked_sub(CHECKSUM).ok_or_else(unreadable)?;
        let (body, checksum) = bytes.split_at_checked(body).ok_or_else(unreadable)?;
        if !blake3::hash(body).as_bytes().starts_with(checksum) {
            return Err(unreadable());
        }
        let stored: Stored<'_> = postcard::from_bytes(body).map_err(|_| unreadable())?;
        if stored.format != FORMAT {
            return Err(Error::damaged(format!(
                "written in format {}",
                stored.format
            )));
        }
        let digest = Digest::from_bytes(stored.digest);
        let identity = Identity {
            service: stored.service.to_owned(),
            schema: stored.schema,
        };
        Ok((
            Self {
                batch: stored.batch,
                rows: stored.rows,
                digest,
            },
            identity,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_reads_back_and_no_changed_byte_goes_unseen() {
        let mut summary = Summary {
            batch: 7,
            ..Summary::default()
        };
        summary.replace(b"key", None, Some(b"value"));
        let identity = Identity {
            service: "retention".into(),
            schema: 3,
        };
        let bytes = summary.encode(&identity).unwrap();
        assert_eq!(Summary::decode(&bytes).unwrap(), (summary, identity));
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 4;
            assert!(Summary::decode(&changed).unwrap_err().is_damage());
            assert!(Summary::decode(&bytes[..at]).unwrap_err().is_damage());
        }
    }

    #[test]
    fn what_is_put_and_removed_again_leaves_nothing() {
        let mut summary = Summary::default();
        summary.replace(b"key", None, Some(b"1"));
        summary.replace(b"key", Some(b"1"), Some(b"2"));
        assert_eq!(summary.rows, 1);
        summary.replace(b"key", Some(b"2"), None);
        assert_eq!(summary, Summary::default());
    }
}
