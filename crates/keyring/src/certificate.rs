//! The private certificate authority and the certificate of the broker. The only place for X.509.
//!
//! Clients, other brokers and leaf nodes trust the broker by `ca.pem` alone; the broker's certificate serves in both
//! directions, because brokers also call each other.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber,
};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;

use crate::files::{self, PRIVATE, PUBLIC};
use crate::{CA_KEY, Keyring, KeyringError};

const DAY: Duration = Duration::from_hours(24);
/// How long the authority vouches: longer than a machine lives, so that clients need no new `ca.pem` in between.
const CA_VALID: Duration = DAY.saturating_mul(10 * 365);
/// How long a certificate of the broker is valid.
const SERVER_VALID: Duration = DAY.saturating_mul(2 * 365);
/// A certificate that ends sooner is made anew at the next preparation, which every start of a node is.
const RENEW_BEFORE: Duration = DAY.saturating_mul(90);
/// Clocks of other machines may be behind.
const BACKDATED: Duration = DAY;
/// By which the broker is always reached on its own machine.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What was made of the two certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) ca: bool,
    pub(crate) server: bool,
}

/// Makes what is missing, and the broker's certificate anew where it ends soon or lacks one of `names` (DNS names and
/// addresses). Its key stays, and names it had stay in it.
pub(crate) fn ensure(keyring: &Keyring, names: &[String], now: Timestamp) -> Result<Made, KeyringError> {
    let mut made = Made::default();
    let ca_file = keyring.ca_file();
    if !ca_file.exists() {
        make_ca(keyring, now)?;
        made.ca = true;
    }
    let server_file = keyring.server_certificate_file();
    let there = if made.ca { None } else { Existing::read(&server_file)? };
    let mut wanted: BTreeSet<String> = LOCAL.into_iter().map(str::to_owned).collect();
    wanted.extend(names.iter().map(|name| canonical(name)));
    let key = key_pair(&keyring.server_key_file())?;
    let stays = there.as_ref().is_some_and(|there| {
        there.names.is_superset(&wanted) && there.ends_after(now, RENEW_BEFORE) && key.is_some()
    });
    if !stays {
        wanted.extend(there.into_iter().flat_map(|there| there.names));
        make_server(keyring, key, wanted, now)?;
        made.server = true;
    }
    Ok(made)
}

fn make_ca(keyring: &Keyring, now: Timestamp) -> Result<(), KeyringError> {
    let path = keyring.ca_file();
    let bad = |error| wrong(&path, error);
    let key = key_or_new(&keyring.dir.join(CA_KEY))?;
    let mut params = CertificateParams::default();
    // Named after its key, so that two authorities are told apart.
    let mut name = "Doorstroom ".to_owned();
    for byte in key.public_key_raw().iter().rev().take(4) {
        // Writing to a `String` does not fail.
        let _written = write!(name, "{byte:02x}");
    }
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now, CA_VALID);
    let certificate = params.self_signed(&key).map_err(bad)?;
    files::put(&path, certificate.pem().as_bytes(), PUBLIC)
}

fn make_server(
    keyring: &Keyring,
    key: Option<KeyPair>,
    names: BTreeSet<String>,
    now: Timestamp,
) -> Result<(), KeyringError> {
    let path = keyring.server_certificate_file();
    let bad = |error| wrong(&path, error);
    let ca_key_file = keyring.dir.join(CA_KEY);
    let ca_key = key_pair(&ca_key_file)?.ok_or(KeyringError::NoCaKey(ca_key_file))?;
    let ca_file = keyring.ca_file();
    let ca = fs::read_to_string(&ca_file)
        .map_err(|source| KeyringError::Unreadable { path: ca_file.clone(), source })?;
    let issuer = Issuer::from_ca_cert_pem(&ca, ca_key).map_err(|error| wrong(&ca_file, error))?;
    let key = match key {
        Some(key) => key,
        None => key_or_new(&keyring.server_key_file())?,
    };
    let mut params = CertificateParams::new(Vec::from_iter(names)).map_err(bad)?;
    params.distinguished_name.push(DnType::CommonName, "doorstroom");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    valid(&mut params, now, SERVER_VALID);
    // By default a number comes from the key, and this key may be certified more than once.
    params.serial_number = Some(SerialNumber::from(micros(now)));
    let certificate = params.signed_by(&key, &issuer).map_err(bad)?;
    files::put(&path, certificate.pem().as_bytes(), PUBLIC)
}

fn valid(params: &mut CertificateParams, now: Timestamp, for_so_long: Duration) {
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_micros(micros(now));
    params.not_before = now - BACKDATED;
    params.not_after = now + for_so_long;
}

/// Microseconds since 1970; no clock of ours is before that.
fn micros(now: Timestamp) -> u64 {
    u64::try_from(now.as_micros()).unwrap_or_default()
}

/// What a certificate that is there says.
struct Existing {
    names: BTreeSet<String>,
    /// Seconds since 1970.
    ends: i64,
}

impl Existing {
    fn read(path: &Path) -> Result<Option<Self>, KeyringError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyringError::Unreadable { path: path.to_owned(), source }),
        };
        let (_, pem) = parse_x509_pem(&bytes).map_err(|error| wrong(path, error))?;
        let certificate = pem.parse_x509().map_err(|error| wrong(path, error))?;
        let alternatives = certificate.subject_alternative_name().map_err(|error| wrong(path, error))?;
        let names = alternatives.iter().flat_map(|names| &names.value.general_names).filter_map(name_of);
        Ok(Some(Self { names: names.collect(), ends: certificate.validity().not_after.timestamp() }))
    }

    fn ends_after(&self, now: Timestamp, margin: Duration) -> bool {
        let now = now.as_micros().div_euclid(1_000_000);
        i64::try_from(margin.as_secs()).is_ok_and(|margin| self.ends > now.saturating_add(margin))
    }
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(name) = name {
        return Some((*name).to_owned());
    }
    let GeneralName::IPAddress(bytes) = name else {
        return None;
    };
    let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
    Some(address.ok()?.to_string())
}

/// One spelling for one name, so that a certificate is not made anew for another.
fn canonical(name: &str) -> String {
    name.parse::<IpAddr>().map_or_else(|_| name.to_ascii_lowercase(), |address| address.to_string())
}

fn key_or_new(path: &Path) -> Result<KeyPair, KeyringError> {
    if let Some(key) = key_pair(path)? {
        return Ok(key);
    }
    let key = KeyPair::generate().map_err(|error| wrong(path, error))?;
    let pem = zeroize::Zeroizing::new(key.serialize_pem());
    files::put(path, pem.as_bytes(), PRIVATE)?;
    Ok(key)
}

fn key_pair(path: &Path) -> Result<Option<KeyPair>, KeyringError> {
    let pem = files::read_private(path)?;
    pem.map(|pem| KeyPair::from_pem(&pem).map_err(|error| wrong(path, error))).transpose()
}

fn wrong(path: &Path, problem: impl std::fmt::Display) -> KeyringError {
    KeyringError::Certificate { path: path.to_owned(), problem: problem.to_string() }
}
