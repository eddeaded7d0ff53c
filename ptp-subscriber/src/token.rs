//! Tokens in callback URLs, which show who posts an event.
//!
//! Publishers post without credentials, to any URL they are given. A part of that URL which
//! nobody else can guess takes the place of credentials. It is not as good as credentials: whoever
//! may list a publisher's subscriptions can read that publisher's token, and post in its name.
//! Nobody can post about a node with the token of another.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::target::PublisherName;

/// The shortest secret, in bytes: as long as the hash, as RFC 2104 §3 advises.
const MIN_SECRET_BYTES: usize = 32;

/// A secret too short to keep tokens unguessable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the secret has {bytes} bytes, it needs {MIN_SECRET_BYTES}")]
pub struct SecretTooShort {
    bytes: usize,
}

/// Makes and recognises tokens; the same secret makes the same tokens after a restart.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

/// What stands for a token where tokens are compared.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct Fingerprint([u8; 32]);

impl TokenKey {
    /// A key from at least 32 random bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        let too_short = SecretTooShort { bytes: secret.len() };
        if secret.len() < MIN_SECRET_BYTES {
            return Err(too_short);
        }
        // HMAC itself takes keys of any length.
        let mac = Hmac::new_from_slice(secret).map_err(|_| too_short)?;
        Ok(Self(mac))
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }

    /// The token of a publisher: 64 hexadecimal digits.
    #[must_use]
    pub fn token(&self, publisher: &PublisherName) -> String {
        let bytes = self.mac("token", publisher.as_str()).finalize().into_bytes();
        format!("{bytes:x}")
    }

    /// Whether this is the publisher's token, found out in the same time whatever it is.
    #[must_use]
    pub fn verify(&self, publisher: &PublisherName, presented: &str) -> bool {
        self.fingerprint(presented) == self.fingerprint(&self.token(publisher))
    }

    /// A keyed hash of a token.
    ///
    /// Looking up and comparing these takes a time that depends on the hash alone, which says
    /// nothing about the token to anyone without the secret.
    pub(crate) fn fingerprint(&self, presented: &str) -> Fingerprint {
        Fingerprint(self.mac("lookup", presented).finalize().into_bytes().into())
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_stable_and_differ_by_publisher_and_secret() {
        let key = TokenKey::new(&[7; 32]).unwrap();
        let other = TokenKey::new(&[8; 32]).unwrap();
        let (a, b) = (PublisherName::new("a"), PublisherName::new("b"));
        let token = key.token(&a);
        assert_eq!(token.len(), 64);
        assert_eq!(token, TokenKey::new(&[7; 32]).unwrap().token(&a));
        assert_ne!(token, key.token(&b));
        assert_ne!(token, other.token(&a));
        assert!(key.verify(&a, &token));
        assert!(!key.verify(&b, &token));
        assert!(!key.verify(&a, &token[..63]));
        assert!(!key.verify(&a, ""));
    }

    #[test]
    fn short_secrets_are_refused_and_none_is_printed() {
        assert_eq!(
            TokenKey::new(b"password").unwrap_err().to_string(),
            "the secret has 8 bytes, it needs 32"
        );
        let key = TokenKey::new(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "TokenKey(secret)");
    }
}
