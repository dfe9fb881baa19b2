//! Personal data: sealed with a key of its person before it is written, unreadable for ever once that key is
//! destroyed.
//!
//! ```text
//!   text ──seal──► Sealed ──► events, rows, public events: for ever
//!            ▲                                   │
//!      key of the person  ◄────── open ──────────┘──► text, at the edge alone
//!            │ wrapped by the master key
//!            ▼
//!      patron.keys: a topic of its own, which forgets
//! ```
//! History is kept for ever, and a person may want to be forgotten. So history holds ciphertext, and what is
//! destroyed is the key. Both services read the same keys: prospect and customer are one [`Person`].
//!
//! | file | what |
//! |---|---|
//! | `vault.rs` | sealing, opening, erasing: what services use |
//! | `keyring.rs` | which keys count: a fold over the topic of keys, and the rule that makes erasure final |
//! | `entry.rs` | the records of that topic |
//! | `reader.rs` | reads the topic, for as long as the vault lives |
//! | `cipher.rs` | XChaCha20-Poly1305, and what each box is bound to |
//! | `master.rs` | the master key and its file |
//! | `cache.rs` | opened keys, a bounded number of them |
//! | `person.rs`, `field.rs` | whose data it is, and what kind |
//! | `mutant.rs` | deliberate faults, for tests |

mod cache;
mod cipher;
mod entry;
mod field;
pub mod keyring;
mod master;
pub mod mutant;
mod person;
mod reader;
mod vault;

pub use entry::Entry;
pub use field::Field;
pub use master::{MasterKey, MasterKeys};
pub use person::{KeyId, Person};
pub use vault::{Closed, Error, KEYS_TOPIC, PARTITIONS, Vault};
pub use zeroize::Zeroizing;
