//! Sealed parts: what is personal of one referral or stay, readable only with the key of that referral or stay.
//!
//! The events carry the ciphertext, the keys stand in a folder of their own, one file each, readable by the node alone.
//! Whoever copies the log has nothing; a key that is destroyed makes its parts unreadable for ever without changing a
//! count or a hash. Not here: who may open one (`domain::access`), which parts there are.
//!
//! Invariant: a key that is there is never replaced (test: `two_that_seal_for_one_referral_at_once_use_one_key`).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Sealed;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The scheme of a sealed part: ChaCha20-Poly1305 (RFC 8439) under a random key of its own referral or stay, with a random
/// nonce; the scheme and the key's name are authenticated with it.
const SCHEME: &str = "chacha20-poly1305";
/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// The largest part, in bytes: a name, an address, a letter. The ciphertext has to fit an event.
pub const SEALED_BYTES_MAX: usize = 16 * 1024;

/// The keys of sealed parts.
#[derive(Clone, Debug)]
pub struct Vault {
    dir: PathBuf,
}

/// A part could not be sealed or opened. No error holds anything of a key or of what was sealed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The folder or a key can not be read or written.
    #[error("{}: the keys of sealed parts can not be used; check the folder and its disk", path.display())]
    Unusable {
        /// Which file or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// There is no key for it: it was destroyed, or sealed at another node.
    #[error("the key of {subject} is not here: it was destroyed, or the part was sealed elsewhere")]
    NoKey {
        /// Whose.
        subject: Uuid,
    },
    /// Not sealed by this scheme, or changed since.
    #[error("this is not a part of {subject} as it was sealed")]
    NotWhole {
        /// Of which it should be.
        subject: Uuid,
    },
    /// Too much for one part.
    #[error("{found} bytes are too many to be sealed as one part: at most {SEALED_BYTES_MAX} are")]
    TooLarge {
        /// How many.
        found: usize,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Vault {
    /// The keys in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it can not be made.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| VaultError::Unusable { path: dir.to_owned(), source })?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Seals a part of a referral or stay; its key is made and on disk before this returns. Blocks on the disk.
    ///
    /// # Errors
    /// If it is too large or the key can not be kept.
    pub fn seal(&self, subject: Uuid, plain: &[u8]) -> Result<Sealed, VaultError> {
        if plain.len() > SEALED_BYTES_MAX {
            return Err(VaultError::TooLarge { found: plain.len() });
        }
        let random = SystemRandom::new();
        let key = self.key_or_new(subject, &random)?;
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce).map_err(|_| VaultError::NoRandom)?;
        let mut bytes = plain.to_vec();
        let sealed =
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(subject), &mut bytes);
        sealed.map_err(|_| VaultError::NotWhole { subject })?;
        let label = |text: &str| text.parse().map_err(|_| VaultError::NotWhole { subject });
        Ok(Sealed {
            scheme: label(SCHEME)?,
            key: label(&subject.to_string())?,
            nonce: label(&STANDARD.encode(nonce))?,
            ciphertext: STANDARD.encode(bytes),
        })
    }

    /// Whether there is a key for this referral or stay. Blocks on the disk.
    #[must_use]
    pub fn holds(&self, subject: Uuid) -> bool {
        self.path(subject).exists()
    }

    /// What was sealed of this referral or stay. Blocks on the disk.
    ///
    /// # Errors
    /// If the key is gone, or the part is not as it was sealed.
    pub fn unseal(&self, subject: Uuid, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let not_whole = || VaultError::NotWhole { subject };
        if sealed.scheme.as_str() != SCHEME || sealed.key.as_str() != subject.to_string() {
            return Err(not_whole());
        }
        let key = self.key(subject)?.ok_or(VaultError::NoKey { subject })?;
        let nonce = STANDARD.decode(sealed.nonce.as_str()).map_err(|_| not_whole())?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| not_whole())?;
        let mut bytes = Zeroizing::new(STANDARD.decode(&sealed.ciphertext).map_err(|_| not_whole())?);
        let plain = key.open_in_place(nonce, aad(subject), &mut bytes).map_err(|_| not_whole())?;
        Ok(Zeroizing::new(plain.to_vec()))
    }

    /// Destroys the key of a referral or stay: nobody reads its sealed parts again. `false` if there is none.
    ///
    /// # Errors
    /// If the key can not be taken away.
    pub fn destroy(&self, subject: Uuid) -> Result<bool, VaultError> {
        let path = self.path(subject);
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&path).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(VaultError::Unusable { path, source }),
        }
    }

    /// A file for each key, in 256 folders: the end of an id is random, its beginning is a time.
    fn path(&self, subject: Uuid) -> PathBuf {
        let name = subject.simple().to_string();
        let folder = name.get(name.len().saturating_sub(2)..).unwrap_or_default().to_owned();
        self.dir.join(folder).join(name)
    }

    fn key(&self, subject: Uuid) -> Result<Option<LessSafeKey>, VaultError> {
        let path = self.path(subject);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) => {
                let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes);
                let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a key of 32 bytes");
                key.map(|key| Some(LessSafeKey::new(key)))
                    .map_err(|_| VaultError::Unusable { path, source: damaged() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(VaultError::Unusable { path, source }),
        }
    }

    fn key_or_new(&self, subject: Uuid, random: &SystemRandom) -> Result<LessSafeKey, VaultError> {
        if let Some(key) = self.key(subject)? {
            return Ok(key);
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random.fill(bytes.as_mut()).map_err(|_| VaultError::NoRandom)?;
        let mut draft = [0; 8];
        random.fill(&mut draft).map_err(|_| VaultError::NoRandom)?;
        let path = self.path(subject);
        let unusable = |source| VaultError::Unusable { path: path.clone(), source };
        let folder = path.parent().unwrap_or(&self.dir);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
        let draft = folder.join(format!(".{:016x}", u64::from_le_bytes(draft)));
        let put = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(bytes.as_ref())?;
            file.sync_all()?;
            // Unlike a rename this fails if somebody else was first: then that key counts.
            match fs::hard_link(&draft, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            }
        };
        let put = put().and_then(|()| fs::remove_file(&draft));
        put.map_err(unusable)?;
        sync_folder(&path)?;
        self.key(subject)?.ok_or(VaultError::NoKey { subject })
    }
}

fn aad(subject: Uuid) -> Aad<Vec<u8>> {
    let mut named = SCHEME.as_bytes().to_vec();
    named.extend_from_slice(subject.as_bytes());
    Aad::from(named)
}

fn sync_folder(path: &Path) -> Result<(), VaultError> {
    // Its folder, and the one that folder was made in.
    for folder in path.ancestors().skip(1).take(2) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| VaultError::Unusable { path: folder.to_owned(), source })?;
    }
    Ok(())
}
