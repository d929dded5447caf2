//! The key with which a log signs its heads: an Ed25519 seed in a file of its own, beside the folder of the log and
//! never in it, so that copies of the log do not carry it.
//!
//! Not here: what is signed (`checkpoint`), when (`heads`).

use std::{
    fmt, fs,
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use ed25519_dalek::{Signer as _, SigningKey};

use super::{
    checkpoint::SignedHead,
    note::{KeyKind, NoteError, NoteSignature, VerifierKey, cosigned_text, is_key_name, key_id},
};

/// Signs the heads of a log. Its `Debug` shows no key.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    origin: Option<Box<str>>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Signer {
    /// A key out of its 32 secret bytes (RFC 8032).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Signer {
        Signer { key: SigningKey::from_bytes(seed), origin: None }
    }

    /// The key in a seed file (64 hex digits and a newline, mode 0600); makes the file with a new key if there is
    /// none.
    ///
    /// # Errors
    /// What the system says; and if the file is no seed file, or others may read it.
    pub fn from_file(path: &Path) -> io::Result<Signer> {
        let text = match fs::File::open(path) {
            Ok(mut file) => {
                if file.metadata()?.permissions().mode() & 0o077 != 0 {
                    return Err(refused(path, "may be read by others; set its mode to 0600"));
                }
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                text
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
            Err(error) => return Err(error),
        };
        let seed = unhex(text.trim_end()).ok_or_else(|| refused(path, "is no seed file of 64 hex digits"))?;
        Ok(Signer::from_seed(&seed))
    }

    /// The same key for a log with this origin; without it the origin is `doorstroom.nl/` and the id of the log.
    ///
    /// # Errors
    /// If it is empty or has spaces or a plus sign: the name of the key is the origin.
    pub fn with_origin(self, origin: &str) -> Result<Signer, NoteError> {
        if is_key_name(origin) {
            Ok(Signer { origin: Some(origin.into()), ..self })
        } else {
            Err(NoteError::Key { what: "an origin is not empty and has no spaces and no plus sign" })
        }
    }

    /// The origin of a log with this id.
    pub(crate) fn origin(&self, log: &[u8; 16]) -> String {
        match &self.origin {
            Some(origin) => origin.to_string(),
            None => format!("doorstroom.nl/{}", crate::Key(*log)),
        }
    }

    /// What others verify signatures of this key under this name with.
    ///
    /// # Errors
    /// If `name` is empty or has spaces or a plus sign.
    pub fn verifier_key(&self, name: &str, kind: KeyKind) -> Result<VerifierKey, NoteError> {
        VerifierKey::new(name, kind, self.key.verifying_key().as_bytes())
    }

    /// Signs a head as its log.
    pub(crate) fn sign(&self, head: &mut SignedHead) {
        let name = head.origin().to_owned();
        let key = key_id(&name, 1, self.key.verifying_key().as_bytes());
        let bytes = self.key.sign(head.note().text().as_bytes()).to_bytes().to_vec();
        head.note_mut().add(NoteSignature { name, key, bytes });
    }

    /// Signs a head as a witness called `name` that saw it at `time` (seconds since 1970-01-01 UTC). Whoever calls
    /// this has checked that the head continues every head of that log it signed before.
    ///
    /// # Errors
    /// If `name` is empty or has spaces or a plus sign.
    pub fn cosign(&self, name: &str, head: &mut SignedHead, time: u64) -> Result<(), NoteError> {
        let key = self.verifier_key(name, KeyKind::Witness)?.id();
        let made = self.key.sign(cosigned_text(head.note().text(), time).as_bytes()).to_bytes();
        #[expect(clippy::big_endian_bytes, reason = "c2sp.org/tlog-cosignature says so")]
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&made);
        head.note_mut().add(NoteSignature { name: name.to_owned(), key, bytes });
        Ok(())
    }
}

fn refused(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} {what}", path.display()))
}

/// Makes a seed file: durable before the first signature.
fn make(path: &Path) -> io::Result<String> {
    let mut seed = [0_u8; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let text = format!("{}\n", crate::codec::hex(&seed));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    fs::File::open(above.unwrap_or(Path::new(".")))?.sync_all()?;
    tracing::info!(file = %path.display(), "made a new key for signed heads");
    Ok(text)
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    let bytes = bytes.collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())?;
    bytes.try_into().ok()
}
