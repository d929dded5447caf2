//! The signature of an event: Ed25519 by the nkey of its source, over the received bytes.
//!
//! A signature can not cover itself, so it covers the bytes **with its own value left out**: of structured JSON the very
//! bytes with `"signature":""`, of binary mode the canonical form with the line `ce-signature: ` empty. Its value is
//! written in base64url without padding, 86 characters, and is in the bytes exactly once: to check it, that one place is
//! cut out. Nothing is parsed and written anew, so whoever can write JSON can sign. A sender in Python, whose `event` is a
//! `dict`, needs three lines:
//!
//! ```python
//! bare = json.dumps({**event, "signature": ""}).encode()
//! value = base64.urlsafe_b64encode(nkeys.from_seed(seed).sign(bare)).rstrip(b"=")
//! body = bare.replace(b'"signature": ""', b'"signature": "' + value + b'"')
//! ```
//!
//! Cutting is safe: bytes that lose the same value at two different places and leave the same rest would need a value
//! that is signed by itself.
//!
//! Not here: whose keys are good, and whether a source must sign (`network`, `recorder`).

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature, Signer as _, SigningKey, VerifyingKey};

use crate::json::Json;
use crate::received::{ContentType, Decoded, Received};

/// The name of the attribute.
const ATTRIBUTE: &str = "signature";
/// The header of binary mode, as far as its value.
const HEADER: &str = "ce-signature: ";
/// Characters of a signature: 64 bytes in base64url without padding.
const CHARS: usize = 86;
/// Signatures checked at once. Beyond this the gain per signature is small, and one false one costs all of them again.
const BATCH_MAX: usize = 256;

/// A signature and what it is said to cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchecked {
    covered: Vec<u8>,
    signature: [u8; SIGNATURE_LENGTH],
}

/// What an event carries as its signature is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Another length, another alphabet, or bits that say nothing and are not 0.
    #[error("the signature is not 64 bytes in base64url without padding ({CHARS} characters)")]
    NotBase64Url,
    /// It can not be said which bytes it covers.
    #[error(
        "the signature is not in the bytes exactly once, as it is: write it without escapes, and nowhere else"
    )]
    NotOnce,
}

/// Why an event could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no object, or there are no headers, to put the attribute into.
    #[error("not a CloudEvent, so there is no place for a signature: {0}")]
    NoEvent(String),
    /// It carries one.
    #[error(
        "the event has a signature, or something else in its place: leave `signature` out, or give it as \"\""
    )]
    Taken,
}

/// The text is no seed of a user nkey. What it is, is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the seed of a user nkey: 58 characters that begin with SU")]
pub struct SeedError;

/// The secret of a source: the seed of its user nkey (`SU…`). Wiped from memory when dropped; never shown.
#[derive(Clone)]
pub struct SigningSeed(SigningKey);

impl SigningSeed {
    /// The public key that checks what this signs: the 32 bytes in the nkey `U…`.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

impl FromStr for SigningSeed {
    type Err = SeedError;

    /// Reads the text of a seed; white space around it is ignored, as a file ends in a line end.
    fn from_str(text: &str) -> Result<Self, SeedError> {
        let text = text.trim();
        if !text.starts_with("SU") {
            return Err(SeedError);
        }
        let (_, seed) = nkeys::decode_seed(text).map_err(|_| SeedError)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }
}

impl fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSeed(hidden)")
    }
}

/// The signature of an event and what it covers; `None` if the event has none.
///
/// # Errors
/// If what it carries can not be a signature, or it can not be told which bytes it covers: as good as a false one.
pub fn unchecked(received: &Received, decoded: &Decoded) -> Result<Option<Unchecked>, SignatureError> {
    let Some(text) = decoded.signature.as_deref() else { return Ok(None) };
    let signature = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    let signature = signature.ok_or(SignatureError::NotBase64Url)?;
    let bytes = received.bytes();
    let mut places = bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_bytes());
    let (Some((place, _)), None) = (places.next(), places.next()) else {
        return Err(SignatureError::NotOnce);
    };
    let mut covered = Vec::with_capacity(bytes.len());
    covered.extend_from_slice(bytes.get(..place).unwrap_or_default());
    covered.extend_from_slice(bytes.get(place + text.len()..).unwrap_or_default());
    Ok(Some(Unchecked { covered, signature }))
}

/// Whether each is signed by one of its keys. A key is the 32 bytes in a user nkey. The batch is an optimisation: when it
/// fails, and for whoever has two keys while they are changed, the signatures are checked one by one, strictly.
///
/// A sender can make signatures of its own that a batch takes and the strict check does not; it signed them all the same.
#[must_use]
pub fn verify_batch<K: AsRef<[[u8; 32]]>>(items: &[(Unchecked, K)]) -> Vec<bool> {
    items.chunks(BATCH_MAX).flat_map(verify_chunk).collect()
}

fn verify_chunk<K: AsRef<[[u8; 32]]>>(items: &[(Unchecked, K)]) -> Vec<bool> {
    let one_key = |keys: &K| match keys.as_ref() {
        [only] => key(only),
        _ => None,
    };
    let (mut messages, mut signatures, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for (unchecked, candidates) in items {
        if let Some(key) = one_key(candidates) {
            messages.push(unchecked.covered.as_slice());
            signatures.push(Signature::from_bytes(&unchecked.signature));
            keys.push(key);
        }
    }
    // Of one signature the batch is dearer than the check.
    let all = keys.len() > 1 && ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok();
    let verified = |(unchecked, candidates): &(Unchecked, K)| {
        all && one_key(candidates).is_some() || candidates.as_ref().iter().any(|key| verify(unchecked, key))
    };
    items.iter().map(verified).collect()
}

/// A key that is fit to check a signature. One of small order would take any.
fn key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

fn verify(unchecked: &Unchecked, candidate: &[u8; 32]) -> bool {
    let signature = Signature::from_bytes(&unchecked.signature);
    key(candidate).is_some_and(|key| key.verify_strict(&unchecked.covered, &signature).is_ok())
}

/// The event with its signature. Every other byte stays: the attribute goes to the end of the object (in binary mode
/// among the headers, which are sorted), or into a `signature` that is there and empty.
///
/// # Errors
/// If there is no place for a signature, or it is taken.
pub fn sign(event: &Received, seed: &SigningSeed) -> Result<Received, SignError> {
    let bytes = event.bytes();
    let structured = event.content_type() == ContentType::StructuredJson.as_str();
    let (mut covered, place) = if structured { with_empty_json(bytes)? } else { with_empty_header(bytes)? };
    let mut value = String::with_capacity(CHARS);
    URL_SAFE_NO_PAD.encode_string(seed.0.sign(&covered).to_bytes(), &mut value);
    covered.splice(place..place, value.bytes());
    Ok(event.with_bytes(Bytes::from(covered)))
}

/// The bytes with `"signature":""` in them, and the place between the quotes.
fn with_empty_json(bytes: &[u8]) -> Result<(Vec<u8>, usize), SignError> {
    let json = Json::parse(bytes).map_err(|fault| SignError::NoEvent(fault.to_string()))?;
    let Json::Object(fields) = &json else {
        return Err(SignError::NoEvent("a CloudEvent is a JSON object".to_owned()));
    };
    if fields.iter().any(|(name, _)| name == ATTRIBUTE) {
        let place = empty_value(bytes).ok_or(SignError::Taken)?;
        return Ok((bytes.to_vec(), place));
    }
    // The object ends in the last brace: after a value there is only white space.
    let end = bytes.iter().rposition(|byte| *byte == b'}').ok_or(SignError::Taken)?;
    let mut out = bytes.to_vec();
    let comma = if fields.is_empty() { "" } else { "," };
    let attribute = format!("{comma}\"{ATTRIBUTE}\":\"\"");
    let place = end + attribute.len() - 1;
    out.splice(end..end, attribute.into_bytes());
    Ok((out, place))
}

/// Between the quotes of the empty value of the attribute, in an object that can be read.
fn empty_value(json: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(byte) = json.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_text(json, at)?;
                let colon = after_space(json, end);
                let is_name = depth == 1 && json.get(colon) == Some(&b':');
                if is_name && json.get(at + 1..end - 1) == Some(ATTRIBUTE.as_bytes()) {
                    let value = after_space(json, colon + 1);
                    return json.get(value..)?.starts_with(b"\"\"").then_some(value + 1);
                }
                at = end;
                continue;
            }
            _ => (),
        }
        at += 1;
    }
    None
}

/// Behind the closing quote of the text that begins here.
fn end_of_text(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn after_space(json: &[u8], from: usize) -> usize {
    let rest = json.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The canonical form with the line `ce-signature: ` in it, and the place behind that.
fn with_empty_header(bytes: &[u8]) -> Result<(Vec<u8>, usize), SignError> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(SignError::NoEvent("the headers do not end in an empty line".to_owned()));
        };
        let line = rest.get(..end).unwrap_or_default();
        if line == HEADER.as_bytes() {
            return Ok((bytes.to_vec(), at + end));
        }
        if line.starts_with(HEADER.as_bytes()) {
            return Err(SignError::Taken);
        }
        if line.is_empty() || line > HEADER.as_bytes() {
            let mut out = bytes.to_vec();
            out.splice(at..at, HEADER.bytes().chain([b'\n']));
            return Ok((out, at + HEADER.len()));
        }
        at += end + 1;
    }
}
