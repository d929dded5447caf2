//! A push service and the devices behind it: they open and check what they get with `p256`, `hkdf` and `ece-native`, none of
//! which the notifier is made of.
#![expect(
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "test code: what can not be opened is the failed test"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const AUTH: [u8; 16] = *b"sixteen of these";

/// What a service was given.
#[derive(Clone, Debug, Default)]
pub struct Pushed {
    /// At which path: which device.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What was sealed.
    pub body: Vec<u8>,
}

impl Pushed {
    /// The value of a header, which it has to have.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }

    /// The claims of its token, whose signature is right for this key.
    #[must_use]
    pub fn claims(&self, key: &str) -> serde_json::Value {
        let said = self.header("authorization").strip_prefix("vapid t=").unwrap();
        let (token, shown) = said.split_once(", k=").unwrap();
        assert_eq!(shown, key);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let verifier = VerifyingKey::from_sec1_bytes(&bytes(key)).unwrap();
        verifier.verify(signed.as_bytes(), &Signature::from_slice(&bytes(signature)).unwrap()).unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        let head: serde_json::Value = serde_json::from_slice(&bytes(head)).unwrap();
        assert_eq!(head["alg"], "ES256");
        serde_json::from_slice(&bytes(claims)).unwrap()
    }
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Pushed>>,
    answers: Mutex<BTreeMap<String, u16>>,
}

/// A push service at a free port, until the test ends.
#[derive(Debug)]
pub struct PushService {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl PushService {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { address, shared }
    }

    /// For whom a token has to be.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where a device is told.
    #[must_use]
    pub fn address(&self, device: &str) -> String {
        format!("http://{}/{device}", self.address)
    }

    /// What it says to this path from now on; 201 otherwise.
    pub fn answers(&self, path: &str, status: u16) {
        self.shared.answers.lock().unwrap().insert(path.to_owned(), status);
    }

    /// What it was given, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Pushed> {
        self.shared.received.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.lines();
    let path = lines.next().unwrap().strip_prefix("POST ").unwrap().split(' ').next().unwrap().to_owned();
    let headers: BTreeMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    while bytes.len() < head + 4 + length {
        stream.read_buf(&mut bytes).await?;
    }
    let body = bytes[head + 4..].to_vec();
    let status = shared.answers.lock().unwrap().get(&path).copied().unwrap_or(201);
    shared.received.lock().unwrap().push(Pushed { path, headers, body });
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await
}

/// A device with a key of its own: what a browser keeps of a subscription.
#[derive(Debug)]
pub struct Device {
    secret: SecretKey,
}

impl Default for Device {
    fn default() -> Self {
        let mut seed = [0; 32];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut seed).unwrap();
        seed[0] = 1;
        Self { secret: SecretKey::from_slice(&seed).unwrap() }
    }
}

impl Device {
    fn public(&self) -> Vec<u8> {
        self.secret.public_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// Its public key, as it is registered.
    #[must_use]
    pub fn key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public())
    }

    /// What both sides know, as it is registered.
    #[must_use]
    pub fn auth(&self) -> String {
        URL_SAFE_NO_PAD.encode(AUTH)
    }

    /// Opens a message as RFC 8291 says.
    #[must_use]
    pub fn open(&self, body: &[u8]) -> String {
        let length = usize::from(body[20]);
        let theirs = &body[21..21 + length];
        let sender = PublicKey::from_sec1_bytes(theirs).unwrap();
        let shared = p256::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), sender.as_affine());
        let info = [b"WebPush: info\0", &self.public()[..], theirs].concat();
        let mut seed = [0; 32];
        Hkdf::<Sha256>::new(Some(&AUTH), shared.raw_secret_bytes()).expand(&info, &mut seed).unwrap();
        let opened = ece_native::decrypt(seed, body.to_vec());
        String::from_utf8(opened.unwrap()).unwrap()
    }
}
