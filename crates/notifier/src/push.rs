//! Web push: a message for one device, encrypted for it (RFC 8291 over RFC 8188), handed to its push service (RFC 8030) with a
//! token that says whose it is (RFC 8292).
//!
//! All of it stands on `ring`, which is in the tree already: one key agreement, two derivations, one sealed record. Tests
//! open and verify it with other implementations. Not here: which services may be reached (`services`).

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eventlog::{Clock as _, SystemClock};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::book::Device;
use crate::run::Outcome;
use crate::services::{PushServices, origin};
use crate::{NotifierError, PushSetup};

/// How long a push service may take for one message, from its name to its answer.
const PUSH_WITHIN_MAX: Duration = Duration::from_secs(10);
/// How long a token is valid (RFC 8292: at most a day).
const TOKEN_VALID: Duration = Duration::from_hours(1);
/// How long a service keeps a message for a device that is off, at most.
const KEPT_SECONDS_MAX: u64 = 60 * 60;
/// The record size of RFC 8188; the message is far shorter, so it is one record.
const RECORD_BYTES: [u8; 4] = [0, 0, 16, 0];

/// Pushes.
pub(crate) struct Push {
    services: PushServices,
    contact: String,
    pair: EcdsaKeyPair,
    public: String,
    agent: Agent,
    random: SystemRandom,
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A length for `ring`'s derivation.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

impl Push {
    /// Opens the key of this node, or makes it at the first start: devices are registered for it, so it stays.
    pub(crate) fn open(key: &Path, setup: PushSetup) -> Result<Self, NotifierError> {
        let random = SystemRandom::new();
        let unusable = |source| NotifierError::File { path: key.to_owned(), source };
        let kept = match fs::read(key) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                let made = made.map_err(|_| NotifierError::Random)?;
                let mut options = fs::OpenOptions::new();
                let mut file =
                    options.write(true).create_new(true).mode(0o600).open(key).map_err(unusable)?;
                file.write_all(made.as_ref()).and_then(|()| file.sync_all()).map_err(unusable)?;
                made.as_ref().to_vec()
            }
            Err(error) => return Err(unusable(error)),
        };
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &kept, &random);
        let pair = pair.map_err(|_| NotifierError::Unfit {
            path: key.to_owned(),
            what: "it is no key for push",
            then: "a new one is made and devices are registered anew",
        })?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let agent = Agent::config_builder()
            .timeout_global(Some(PUSH_WITHIN_MAX))
            .http_status_as_error(false)
            // Where a service leads to is not on the list.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("doorstroom")
            .build()
            .new_agent();
        let PushSetup { services, contact } = setup;
        Ok(Self { services, contact, pair, public, agent, random })
    }

    pub(crate) fn public_key(&self) -> &str {
        &self.public
    }

    /// Hands a message for this device to its service. Blocks; the service keeps it for so many seconds.
    pub(crate) fn send(&self, device: &Device, keep_seconds: u64) -> Outcome {
        // The list may be another than when it was registered.
        if !self.services.allow(&device.endpoint) {
            tracing::warn!(device = device.id, "its push service is not on the list of this node any more");
            return Outcome::Refused;
        }
        let sealed = seal(device, device.lang.text().as_bytes(), &self.random);
        let (Some(sealed), Some(token)) = (sealed, self.token(&device.endpoint)) else {
            tracing::warn!(device = device.id, "nothing can be sealed for this device");
            return Outcome::Refused;
        };
        let mut request = self.agent.post(&device.endpoint);
        if device.endpoint.starts_with("http://") {
            // This machine's own: no proxy has to know.
            request = request.config().proxy(None).build();
        }
        let answer = request
            .header("Authorization", format!("vapid t={token}, k={}", self.public))
            .header("Content-Encoding", "aes128gcm")
            .header("Content-Type", "application/octet-stream")
            .header("TTL", keep_seconds.min(KEPT_SECONDS_MAX).to_string())
            .header("Urgency", "high")
            .send(&sealed[..]);
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Outcome::Done,
            Ok(StatusCode::NOT_FOUND | StatusCode::GONE) => Outcome::Gone,
            Ok(status) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                tracing::warn!(device = device.id, status = status.as_u16(), "a push service is busy");
                Outcome::Again
            }
            Ok(status) => {
                tracing::warn!(device = device.id, status = status.as_u16(), "a push service says no");
                Outcome::Refused
            }
            Err(error) => {
                // The address stays out of the log: whoever knows it can write to the device.
                let kind = if matches!(error, ureq::Error::Timeout(_)) { "too slow" } else { "not reached" };
                tracing::warn!(device = device.id, kind, "a push service does not answer");
                Outcome::Again
            }
        }
    }

    /// Says to the service at this address that the message is ours.
    fn token(&self, endpoint: &str) -> Option<String> {
        // The service has a clock of its own: ours is the machine's, however fast a simulation goes.
        let now = SystemClock.now().div_euclid(1_000_000);
        let until = now.saturating_add(i64::try_from(TOKEN_VALID.as_secs()).ok()?);
        let claims = serde_json::json!({
            "aud": origin(endpoint)?,
            "exp": until,
            "sub": format!("mailto:{}", self.contact),
        });
        let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let said = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.pair.sign(&self.random, said.as_bytes()).ok()?;
        Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Encrypts a message so that this device alone can read it; `None` if its keys are not right.
fn seal(device: &Device, text: &[u8], random: &SystemRandom) -> Option<Vec<u8>> {
    let theirs = URL_SAFE_NO_PAD.decode(device.key.trim_end_matches('=')).ok()?;
    let auth = URL_SAFE_NO_PAD.decode(device.auth.trim_end_matches('=')).ok()?;
    let private = EphemeralPrivateKey::generate(&ECDH_P256, random).ok()?;
    let ours = private.compute_public_key().ok()?;
    let mut salt = [0; 16];
    random.fill(&mut salt).ok()?;
    // RFC 8291, section 3.4.
    let info = [b"WebPush: info\0", &theirs[..], ours.as_ref()];
    let seed = agree_ephemeral(private, &UnparsedPublicKey::new(&ECDH_P256, &theirs), |shared| {
        derived::<32>(&auth, shared, &info)
    });
    let seed = seed.ok().flatten()?;
    // RFC 8188, sections 2.2 and 2.3.
    let key = derived::<16>(&salt, &seed, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = derived::<12>(&salt, &seed, &[b"Content-Encoding: nonce\0"])?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    // The 2 ends the last record.
    let mut record = [text, &[2]].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).ok()?;
    let length = [u8::try_from(ours.as_ref().len()).ok()?];
    Some([&salt[..], &RECORD_BYTES, &length, ours.as_ref(), &record].concat())
}

fn derived<const LENGTH: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Option<[u8; LENGTH]> {
    let mut key = [0; LENGTH];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    extracted.expand(info, Bytes(LENGTH)).ok()?.fill(&mut key).ok()?;
    Some(key)
}
