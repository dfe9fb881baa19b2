//! Keys whose bytes sort as their values do, so that a range of values is a range of rows.
//!
//! | Type | Bytes |
//! |---|---|
//! | `bool`, `u8`, `u16`, `u32`, `u64`, `u128` | big-endian |
//! | `i64` | big-endian with the sign bit flipped |
//! | `[u8; N]`, `Uuid` | as they are |
//! | `String` | UTF-8, `00` written as `00 FF`, ended by `00 01` |
//! | `()`, tuples of up to four keys | one after the other |
//!
//! Every encoding ends by itself, so a tuple's bytes begin with the bytes of its first members.

use uuid::Uuid;

/// A value that can be a key. `a < b` exactly when the bytes of `a` are less than those of `b`.
pub trait Key: Sized {
    /// Appends the bytes.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes the bytes off the front; `None` if they are not a key of this type.
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

/// The first members of a key `K`, as a tuple: `()`, `(A,)`, `(A, B)`, `(A, B, C)`.
pub trait Prefix<K>: Key {}

macro_rules! big_endian {
    ($($number:ty),*) => {$(
        impl Key for $number {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                input.split_off_first_chunk().map(Self::from_be_bytes)
            }
        }
    )*};
}
big_endian!(u8, u16, u32, u64, u128);

/// Taking a fixed number of bytes off the front.
trait SplitOffFirstChunk {
    fn split_off_first_chunk<const N: usize>(&mut self) -> Option<[u8; N]>;
}

impl SplitOffFirstChunk for &[u8] {
    fn split_off_first_chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.split_first_chunk()?;
        *self = rest;
        Some(*chunk)
    }
}

impl Key for i64 {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.cast_unsigned() ^ (1 << 63)).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        u64::decode(input).map(|bits| (bits ^ (1 << 63)).cast_signed())
    }
}

impl Key for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        match u8::decode(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        input.split_off_first_chunk()
    }
}

impl Key for Uuid {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Key::decode(input).map(Self::from_bytes)
    }
}

const ESCAPED: u8 = 0xFF;
const END: u8 = 0x01;

impl Key for String {
    fn encode(&self, out: &mut Vec<u8>) {
        for byte in self.bytes() {
            out.push(byte);
            if byte == 0 {
                out.push(ESCAPED);
            }
        }
        out.extend_from_slice(&[0, END]);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut text = Vec::new();
        loop {
            match u8::decode(input)? {
                0 => match u8::decode(input)? {
                    END => return Self::from_utf8(text).ok(),
                    ESCAPED => text.push(0),
                    _ => return None,
                },
                byte => text.push(byte),
            }
        }
    }
}

macro_rules! tuple {
    ($($member:ident),*) => {
        impl<$($member: Key),*> Key for ($($member,)*) {
            #[expect(non_snake_case, reason = "the members are named after their types")]
            fn encode(&self, out: &mut Vec<u8>) {
                let ($($member,)*) = self;
                $($member.encode(out);)*
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                Some(($($member::decode(input)?,)*))
            }
        }
    };
}
tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);

impl Key for () {
    fn encode(&self, _out: &mut Vec<u8>) {}

    fn decode(_input: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl<K> Prefix<K> for () {}
impl<A: Key, B: Key> Prefix<(A, B)> for (A,) {}
impl<A: Key, B: Key, C: Key> Prefix<(A, B, C)> for (A,) {}
impl<A: Key, B: Key, C: Key> Prefix<(A, B, C)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> Prefix<(A, B, C, D)> for (A,) {}
impl<A: Key, B: Key, C: Key, D: Key> Prefix<(A, B, C, D)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> Prefix<(A, B, C, D)> for (A, B, C) {}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn bytes(key: &impl Key) -> Vec<u8> {
        let mut out = Vec::new();
        key.encode(&mut out);
        out
    }

    fn holds<K: Key + Ord + Debug>(one: &K, two: &K) -> Result<(), TestCaseError> {
        let (left, right) = (bytes(one), bytes(two));
        prop_assert_eq!(
            left.cmp(&right),
            one.cmp(two),
            "order of {:?} and {:?}",
            one,
            two
        );
        let mut both = [left, right].concat();
        both.push(7);
        let mut input = both.as_slice();
        for key in [one, two] {
            let decoded = K::decode(&mut input);
            prop_assert_eq!(decoded.as_ref(), Some(key));
        }
        prop_assert_eq!(input, [7]);
        Ok(())
    }

    /// Texts of few characters, among them the ones that the encoding uses itself.
    fn text() -> impl Strategy<Value = String> {
        let common = prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', '\u{ff}', '\u{10ffff}']);
        vec(common, 0..6).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn numbers_keep_their_order_and_read_back(
            a: (u8, u16, u32), b: (u8, u16, u32), c: (u64, u128), d: (u64, u128),
        ) {
            holds(&a.0, &b.0)?;
            holds(&a.1, &b.1)?;
            holds(&a.2, &b.2)?;
            holds(&c.0, &d.0)?;
            holds(&c.1, &d.1)?;
        }

        #[test]
        fn signed_numbers_keep_their_order_and_read_back(a: i64, b: i64, near in -3..3_i64) {
            holds(&a, &b)?;
            holds(&near, &-near)?;
            holds(&near, &a)?;
        }

        #[test]
        fn bools_arrays_and_uuids_keep_their_order_and_read_back(
            a: (bool, [u8; 3], u128), b: (bool, [u8; 3], u128),
        ) {
            holds(&a.0, &b.0)?;
            holds(&a.1, &b.1)?;
            holds(&Uuid::from_u128(a.2), &Uuid::from_u128(b.2))?;
        }

        #[test]
        fn texts_keep_their_order_and_read_back(a in text(), b in text(), c: String, d: String) {
            holds(&a, &b)?;
            holds(&c, &d)?;
            holds(&a, &c)?;
        }

        #[test]
        fn tuples_keep_their_order_and_read_back(
            a in (text(), 0..3_i64, any::<bool>(), text()),
            b in (text(), 0..3_i64, any::<bool>(), text()),
        ) {
            holds(&(a.0.clone(),), &(b.0.clone(),))?;
            holds(&(a.0.clone(), a.1), &(b.0.clone(), b.1))?;
            holds(&(a.1, a.0.clone(), a.2), &(b.1, b.0.clone(), b.2))?;
            holds(&a, &b)?;
            holds(&(), &())?;
        }

        #[test]
        fn a_key_begins_with_its_prefix_and_no_other_key_does(
            a in (text(), 0..3_u8), other in text(),
        ) {
            prop_assert!(bytes(&a).starts_with(&bytes(&(a.0.clone(),))));
            prop_assert_eq!(bytes(&a).starts_with(&bytes(&(other.clone(),))), other == a.0);
        }

        #[test]
        fn any_bytes_decode_or_are_refused(input in vec(any::<u8>(), 0..40)) {
            let mut rest = input.as_slice();
            let key = <(String, i64, bool, Uuid)>::decode(&mut rest);
            if let Some(key) = key {
                prop_assert!(input.starts_with(&bytes(&key)));
            }
        }
    }
}
