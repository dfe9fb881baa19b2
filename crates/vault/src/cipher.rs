//! XChaCha20-Poly1305, and what each box is bound to.
//!
//! Nonces are 24 random bytes, enough to be drawn without a look at those used before. A box opens only for
//! the person, the key and the kind of field that it was sealed for; a wrapped key only for the person and
//! the name of the key.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use rand::RngCore as _;
use zeroize::Zeroizing;

/// 256 random bits that are wiped when nobody needs them any more.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// The length of a nonce in bytes.
pub(crate) const NONCE: usize = 24;

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A new key.
pub(crate) fn secret() -> Secret {
    let mut secret = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(secret.as_mut_slice());
    secret
}

/// What a box is bound to: each part with its length, so that two lists never read the same.
pub(crate) fn bound_to(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Seals `text`; nothing comes out only if it is too long for the cipher, which is 256 GB.
pub(crate) fn seal(
    secret: &Secret,
    nonce: &[u8; NONCE],
    bound: &[u8],
    text: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: text,
        aad: bound,
    };
    cipher(secret).encrypt(&XNonce::from(*nonce), payload).ok()
}

/// Opens what was sealed with the same key, nonce and bounds.
pub(crate) fn open(
    secret: &Secret,
    nonce: &[u8; NONCE],
    bound: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let payload = Payload {
        msg: sealed,
        aad: bound,
    };
    let opened = cipher(secret).decrypt(&XNonce::from(*nonce), payload);
    opened.ok().map(Zeroizing::new)
}

fn cipher(secret: &Secret) -> XChaCha20Poly1305 {
    let mut key = Key::from(**secret);
    let cipher = XChaCha20Poly1305::new(&key);
    zeroize::Zeroize::zeroize(key.as_mut_slice());
    cipher
}

#[cfg(test)]
mod tests {
    use super::{bound_to, open, random, seal, secret};

    #[test]
    fn what_was_sealed_opens_with_the_same_key_nonce_and_bounds_alone() {
        let (key, nonce) = (secret(), random());
        let bound = bound_to(&[b"a", b"bc"]);
        let sealed = seal(&key, &nonce, &bound, b"Ada").unwrap();
        assert_eq!(&**open(&key, &nonce, &bound, &sealed).unwrap(), b"Ada");
        assert!(open(&secret(), &nonce, &bound, &sealed).is_none());
        assert!(open(&key, &random(), &bound, &sealed).is_none());
        assert!(open(&key, &nonce, &bound_to(&[b"ab", b"c"]), &sealed).is_none());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(open(&key, &nonce, &bound, &changed).is_none(), "{place}");
        }
    }

    /// From draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn it_is_the_published_cipher() {
        let key = zeroize::Zeroizing::new(std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap()));
        let nonce = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let bound = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                     sunscreen would be it.";
        let sealed = seal(&key, &nonce, &bound, text).unwrap();
        assert_eq!(sealed[..4], [0xbd, 0x6d, 0x17, 0x9d]);
        assert_eq!(sealed[sealed.len() - 4..], [0x78, 0x0a, 0xcf, 0x49]);
    }
}
