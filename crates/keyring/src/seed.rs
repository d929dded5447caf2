//! A seed in memory: never shown, wiped when it is let go.

use std::fmt;

use network::PublicKey;
use nkeys::KeyPair;
use zeroize::Zeroizing;

/// The seed of a user, from which its key comes.
#[derive(Clone)]
pub struct Seed {
    text: Zeroizing<String>,
    public: PublicKey,
}

impl Seed {
    pub(crate) fn make() -> Self {
        // A fresh user key has a seed and its public half is that of a user: another draw is only for the types.
        loop {
            let made = KeyPair::new_user().seed().ok().and_then(|seed| Self::from_text(&seed));
            if let Some(seed) = made {
                return seed;
            }
        }
    }

    /// The seed in this text, which may end with white space; `None` when it is not the seed of a user.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let public = KeyPair::from_seed(text).ok()?.public_key().parse().ok()?;
        Some(Self { text: Zeroizing::new(text.to_owned()), public })
    }

    /// Its public key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The seed itself, `SU…`. For signing in and signing only: it is never logged, sent or shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// As its file has it.
    pub(crate) fn line(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", &*self.text))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed(of {})", self.public)
    }
}
