//! A mail server that speaks as much of SMTP (RFC 5321) as a client needs, and keeps what it was given.
#![expect(clippy::missing_panics_doc, reason = "test code: a server that does not work is the failed test")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One mail.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Its headers.
    pub head: String,
    /// What it says.
    pub text: String,
}

impl Mail {
    /// The value of a header, which it has to have.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.unwrap()
    }
}

#[derive(Debug, Default)]
struct Shared {
    mails: Mutex<Vec<Mail>>,
    busy: AtomicBool,
    turned_away: AtomicUsize,
}

/// A mail server at a free port, until the test ends.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl SmtpServer {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that leaves early is its own matter.
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { address, shared }
    }

    /// Its address, as `--smtp` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What it was given, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.mails.lock().unwrap().clone()
    }

    /// It says that it can not just now.
    pub fn busy(&self, busy: bool) {
        self.shared.busy.store(busy, Ordering::SeqCst);
    }

    /// How often it said so.
    #[must_use]
    pub fn turned_away(&self) -> usize {
        self.shared.turned_away.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test.example ESMTP\r\n").await?;
    let mut mail = Mail::default();
    let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" => "250-test.example\r\n250 8BITMIME",
            "MAIL" if shared.busy.load(Ordering::SeqCst) => {
                shared.turned_away.fetch_add(1, Ordering::SeqCst);
                "451 come back later"
            }
            "MAIL" => {
                mail = Mail { from: address(&line), ..Mail::default() };
                "250 ok"
            }
            "RCPT" => {
                mail.to.push(address(&line));
                "250 ok"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut in_head = true;
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    in_head &= !line.is_empty();
                    let part = if in_head { &mut mail.head } else { &mut mail.text };
                    if in_head || !line.is_empty() {
                        part.push_str(&line);
                        part.push('\n');
                    }
                }
                shared.mails.lock().unwrap().push(std::mem::take(&mut mail));
                "250 kept"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
