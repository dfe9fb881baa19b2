//! What was stored is read for ever, and nothing else is taken for it.

use std::fmt::Write as _;

use bytes::Bytes;
use eventsourcing::Time;
use patron_proto::journal::v1 as wire;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use uuid::Uuid;

use super::{MAGIC, decode, encode_commit, encode_genesis};
use crate::{AppendTo, Commit, Decoded, Entry, Event, Genesis, StreamId};

fn genesis() -> Genesis {
    Genesis::new(Uuid::from_u128(0x1234), 12, 42)
}

fn commit() -> Commit {
    Commit {
        commit_id: Uuid::from_u128(1),
        request_id: Uuid::from_u128(2),
        fingerprint: [3; 16],
        actor: "anna".to_owned(),
        time: Time::from_micros(-1),
        trace_context: "00-01-02-03".to_owned(),
        appends: vec![
            AppendTo {
                stream: StreamId::new("customers/7").unwrap(),
                expected_version: 5,
                events: vec![Event {
                    kind: "patron.retention.v1.PromiseBroken".to_owned(),
                    schema: 1,
                    public: true,
                    payload: Bytes::from_static(b"payload"),
                }],
            },
            AppendTo {
                stream: StreamId::pinned("inbox/patron.acquisition.events", 7).unwrap(),
                expected_version: 0,
                events: vec![],
            },
        ],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

/// Histories are full of these bytes: a line here is only ever added.
#[test]
fn the_bytes_of_format_1_never_change() {
    let stored = [
        (
            encode_genesis(&genesis()),
            Entry::Genesis(genesis()),
            "5054524e080112370a2430303030303030302d303030302d303030302d303030302d303030303030\
             303031323334100c1a09626c616b65332d3634202a2801",
        ),
        (
            encode_commit(&commit()),
            Entry::Commit(commit()),
            "5054524e08011ac5010a100000000000000000000000000000000112100000000000000000000000\
             00000000021a10030303030303030303030303030303032204616e6e612a1108ffffffffffffffff\
             ff0110988cebdc03320b30302d30312d30322d30333a410a0b637573746f6d6572732f3710051a30\
             0a21706174726f6e2e726574656e74696f6e2e76312e50726f6d69736542726f6b656e1001180122\
             077061796c6f61643a240a22696e626f782f706174726f6e2e6163717569736974696f6e2e657665\
             6e74732f7e37",
        ),
    ];
    for (written, entry, bytes) in stored {
        assert_eq!(hex(&written), bytes);
        assert_eq!(decode(&written), Decoded::Entry(entry));
    }
}

fn changed(change: impl FnOnce(&mut wire::Commit)) -> Decoded {
    let mut message = wire::Commit::from(&commit());
    change(&mut message);
    with_magic(&wire::Record {
        format: 1,
        body: Some(wire::record::Body::Commit(message)),
    })
}

fn with_magic(record: &wire::Record) -> Decoded {
    decode(&[MAGIC, &record.encode_to_vec()].concat().into())
}

#[test]
fn what_does_not_begin_with_the_magic_is_a_stray() {
    for stray in ["", "PTR", "ptrn and more", "something else"] {
        assert_eq!(decode(&Bytes::from(stray)), Decoded::Stray);
    }
}

#[test]
fn another_format_is_told_by_its_number_whatever_else_it_holds() {
    let record = wire::Record {
        format: 2,
        body: None,
    };
    assert_eq!(with_magic(&record), Decoded::UnknownFormat(2));
    // Format 7, and in the place of the Genesis a number.
    let bytes = [MAGIC, &[0x08, 0x07, 0x10, 0x01]].concat();
    assert_eq!(decode(&bytes.into()), Decoded::UnknownFormat(7));
}

#[test]
fn what_no_release_could_have_written_is_malformed() {
    let malformed = [
        decode(&Bytes::from_static(b"PTRN")),
        decode(&Bytes::from_static(b"PTRN\xff")),
        with_magic(&wire::Record {
            format: 1,
            body: None,
        }),
        changed(|commit| commit.commit_id = Bytes::from_static(b"short")),
        changed(|commit| commit.request_id = Bytes::new()),
        changed(|commit| commit.fingerprint = Bytes::from(vec![0; 17])),
        changed(|commit| commit.time = None),
        changed(|commit| commit.time.as_mut().unwrap().nanos = -1),
        changed(|commit| commit.time.as_mut().unwrap().nanos = 1_000_000_000),
        changed(|commit| commit.time.as_mut().unwrap().seconds = i64::MAX),
        changed(|commit| commit.appends[0].stream = "no collection".to_owned()),
    ];
    for (number, decoded) in malformed.iter().enumerate() {
        assert!(
            matches!(decoded, Decoded::Malformed(_)),
            "{number}: {decoded:?}"
        );
    }
    assert_eq!(changed(|_| {}), Decoded::Entry(Entry::Commit(commit())));
}

#[test]
fn a_field_that_this_release_does_not_know_changes_nothing() {
    let mut bytes = encode_commit(&commit()).to_vec();
    // Field 1000, one byte long.
    bytes.extend_from_slice(&[0xc2, 0x3e, 0x01, 0x05]);
    assert_eq!(
        decode(&bytes.into()),
        Decoded::Entry(Entry::Commit(commit()))
    );
}

fn any_event() -> impl Strategy<Value = Event> {
    (
        ".{0,20}",
        any::<u32>(),
        any::<bool>(),
        vec(any::<u8>(), 0..50),
    )
        .prop_map(|(kind, schema, public, payload)| Event {
            kind,
            schema,
            public,
            payload: payload.into(),
        })
}

fn any_append() -> impl Strategy<Value = AppendTo> {
    let stream = "[a-z]{1,9}/[A-Za-z0-9._-]{1,30}(/~[1-9]{1,3})?";
    (stream, any::<u64>(), vec(any_event(), 0..4)).prop_map(|(stream, expected_version, events)| {
        AppendTo {
            stream: StreamId::new(stream).unwrap(),
            expected_version,
            events,
        }
    })
}

fn any_commit() -> impl Strategy<Value = Commit> {
    let ids = (any::<u128>(), any::<u128>(), any::<[u8; 16]>());
    let texts = (".{0,20}", "[0-9a-f-]{0,55}");
    (ids, texts, any::<i64>(), vec(any_append(), 0..4)).prop_map(
        |((commit_id, request_id, fingerprint), (actor, trace_context), micros, appends)| Commit {
            commit_id: Uuid::from_u128(commit_id),
            request_id: Uuid::from_u128(request_id),
            fingerprint,
            actor,
            time: Time::from_micros(micros),
            trace_context,
            appends,
        },
    )
}

proptest! {
    #[test]
    fn a_commit_comes_back_as_it_was(commit in any_commit()) {
        let written = encode_commit(&commit);
        prop_assert_eq!(decode(&written), Decoded::Entry(Entry::Commit(commit)));
    }

    #[test]
    fn a_genesis_comes_back_as_it_was(uuid: u128, partitions: u32, seed: u64, hash in ".{0,12}") {
        let genesis = Genesis { hash, ..Genesis::new(Uuid::from_u128(uuid), partitions, seed) };
        let written = encode_genesis(&genesis);
        prop_assert_eq!(decode(&written), Decoded::Entry(Entry::Genesis(genesis)));
    }

    #[test]
    fn damaged_bytes_are_read_without_a_panic(
        commit in any_commit(),
        at: prop::sample::Index,
        byte: u8,
        cut: prop::sample::Index,
    ) {
        let mut bytes = encode_commit(&commit).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _decoded = decode(&bytes.into());
    }
}
