//! One batch on its way into sled, as a file: whole and checksummed, or not there at all.
//!
//! sled can apply a batch atomically, but holds a lock over every reader of every database in the
//! process while it does, for hundreds of milliseconds with a large batch. So rows go in one by one,
//! and this file makes that atomic: it is complete before the first row is written and stays until
//! the last one is, and opening the store writes it again (writing a row twice changes nothing).

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes};

use crate::Error;
use crate::overlay::Overlay;

const MAGIC: &[u8; 8] = b"PATRONR1";
const CHECKSUM: usize = 32;
const DELETED: u32 = u32::MAX;

/// The folder's redo file.
#[derive(Debug)]
pub(crate) struct Redo {
    path: PathBuf,
}

/// What a redo file holds: the rows to write, and then the encoded summary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) summary: Bytes,
    pub(crate) rows: Vec<(Bytes, Option<Bytes>)>,
}

impl Redo {
    pub(crate) fn new(generation: &Path) -> Self {
        Self {
            path: generation.join("redo"),
        }
    }

    /// Puts the batch in place, replacing an older one. It appears as a whole, by renaming.
    pub(crate) fn write(&self, summary: &[u8], rows: &Overlay) -> Result<(), Error> {
        let unfinished = self.path.with_extension("unfinished");
        let written = || -> io::Result<()> {
            let mut out = Checked::new(BufWriter::new(File::create(&unfinished)?));
            out.write_all(MAGIC)?;
            write_bytes(&mut out, summary)?;
            for (key, value) in rows {
                write_bytes(&mut out, key)?;
                match value {
                    Some(value) => write_bytes(&mut out, value)?,
                    None => out.write_all(&DELETED.to_be_bytes())?,
                }
            }
            out.finish()?.flush()
        };
        written().map_err(Error::io("write", &unfinished))?;
        fs::rename(&unfinished, &self.path).map_err(Error::io("put in place", &self.path))
    }

    /// The batch, if there is a whole one. A torn or changed file is no batch: whether sled is right
    /// without it, the digest will tell.
    pub(crate) fn read(&self) -> Result<Option<Batch>, Error> {
        let mut bytes = Vec::new();
        match File::open(&self.path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => Ok(decode(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &self.path)(error)),
        }
    }

    /// Takes the file away: its batch is in sled.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}

fn write_bytes(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length != DELETED);
    let length = length.ok_or_else(|| io::Error::other("a row of 4 GiB or more"))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

fn decode(bytes: Vec<u8>) -> Option<Batch> {
    let body = bytes.len().checked_sub(CHECKSUM)?;
    let mut bytes = Bytes::from(bytes);
    let checksum = bytes.split_off(body);
    if blake3::hash(&bytes).as_bytes() != checksum.as_ref() || !bytes.starts_with(MAGIC) {
        return None;
    }
    bytes.advance(MAGIC.len());
    let summary = read_bytes(&mut bytes)?;
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        rows.push((read_bytes(&mut bytes)?, read_change(&mut bytes)?));
    }
    Some(Batch { summary, rows })
}

fn read_bytes(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// The outer `None` is the end of the file, the inner one the mark of a deletion.
#[expect(
    clippy::option_option,
    reason = "two different absences, told apart one line above"
)]
fn read_change(bytes: &mut Bytes) -> Option<Option<Bytes>> {
    if bytes.starts_with(&DELETED.to_be_bytes()) {
        bytes.advance(DELETED.to_be_bytes().len());
        return Some(None);
    }
    read_bytes(bytes).map(Some)
}

/// Hashes what passes through and ends with the hash.
struct Checked<W> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Checked<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            hasher: blake3::Hasher::new(),
        }
    }

    fn finish(mut self) -> io::Result<W> {
        self.out.write_all(self.hasher.finalize().as_bytes())?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Overlay {
        let mut rows = Overlay::new_sync();
        rows.insert_mut(
            Bytes::from_static(b"kept"),
            Some(Bytes::from_static(b"value")),
        );
        rows.insert_mut(Bytes::from_static(b"gone"), None);
        rows.insert_mut(Bytes::from_static(b""), Some(Bytes::new()));
        rows
    }

    #[test]
    fn a_batch_reads_back_as_written_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let redo = Redo::new(folder.path());
        assert_eq!(redo.read().unwrap(), None);
        redo.write(b"summary", &batch()).unwrap();
        let read = redo.read().unwrap().unwrap();
        assert_eq!(read.summary, "summary");
        let expected: Vec<_> = batch()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        assert_eq!(read.rows, expected);
        redo.clear().unwrap();
        redo.clear().unwrap();
        assert_eq!(redo.read().unwrap(), None);
    }

    #[test]
    fn a_file_that_lost_or_changed_any_byte_is_no_batch() {
        let folder = tempfile::tempdir().unwrap();
        let redo = Redo::new(folder.path());
        redo.write(b"summary", &batch()).unwrap();
        let whole = fs::read(&redo.path).unwrap();
        for at in 0..whole.len() {
            fs::write(&redo.path, &whole[..at]).unwrap();
            assert_eq!(redo.read().unwrap(), None, "cut at {at}");
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            fs::write(&redo.path, &flipped).unwrap();
            assert_eq!(redo.read().unwrap(), None, "flipped at {at}");
        }
    }
}
