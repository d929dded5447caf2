//! Mail: one short message to one address, over SMTP.
//!
//! Encrypted, unless the server is on this machine. Not here: who is written to (`run`).

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::Lang;
use crate::run::Outcome;

/// How long a server may take for one mail, from connecting to "250".
const MAIL_WITHIN_MAX: Duration = Duration::from_secs(15);

/// How a node sends mail.
#[derive(Clone)]
pub struct MailSetup {
    /// The server: `smtps://user:password@host`, or `smtp://…` for one that begins in the clear (STARTTLS).
    pub server: String,
    /// Who it comes from.
    pub from: String,
}

impl fmt::Debug for MailSetup {
    /// Without the server: a password may stand in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSetup").field("from", &self.from).finish_non_exhaustive()
    }
}

/// The settings of mail are not right. None of these repeats the address of the server: a password may stand in it.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No address of a server.
    #[error("the mail server (--smtp) is not an address such as smtps://user:password@mail.example")]
    Server,
    /// It would send in the clear.
    #[error(
        "the mail server (--smtp) has settings behind a ?: leave them out; the connection is encrypted as its scheme says"
    )]
    Settings,
    /// No address of a sender.
    #[error("{0} (--mail-from) is no address of mail")]
    From(String),
}

/// Sends mail.
pub(crate) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mail {
    pub(crate) fn new(setup: &MailSetup) -> Result<Self, MailError> {
        let from = Address::from_str(&setup.from).map_err(|_| MailError::From(setup.from.clone()))?;
        let url = url(&setup.server)?;
        let transport =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| MailError::Server)?;
        let transport = transport.timeout(Some(MAIL_WITHIN_MAX)).build();
        Ok(Self { transport, from: Mailbox::new(None, from) })
    }

    /// Writes to one address.
    pub(crate) async fn send(&self, to: &str, lang: Lang) -> Outcome {
        let Some(message) = self.message(to, lang) else { return Outcome::Refused };
        match tokio::time::timeout(MAIL_WITHIN_MAX, self.transport.send(message)).await {
            Ok(Ok(_)) => Outcome::Done,
            // What a server says may repeat the address; its code is enough.
            Ok(Err(error)) if error.is_permanent() => {
                tracing::warn!(code = ?error.status(), "the mail server does not take a mail");
                Outcome::Refused
            }
            Ok(Err(error)) => {
                let (code, timeout) = (error.status(), error.is_timeout());
                tracing::warn!(?code, timeout, "a mail could not be sent now");
                Outcome::Again
            }
            Err(_) => {
                tracing::warn!("the mail server took too long");
                Outcome::Again
            }
        }
    }

    fn message(&self, to: &str, lang: Lang) -> Option<Message> {
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).ok()?;
        let id = format!("<{}@{}>", URL_SAFE_NO_PAD.encode(id), self.from.email.domain());
        // RFC 3834: nobody's absence answers it.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.parse().ok()?))
            .subject(lang.text())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(format!("{}.\r\n", lang.text()))
            .ok()
    }
}

/// The address of the server with the encryption it needs: from the first byte (`smtps`), or before anything else is said
/// (`smtp`); in the clear only on this machine.
fn url(server: &str) -> Result<String, MailError> {
    if server.contains('?') {
        return Err(MailError::Settings);
    }
    if server.starts_with("smtps://") {
        return Ok(server.to_owned());
    }
    let rest = server.strip_prefix("smtp://").ok_or(MailError::Server)?;
    let place = rest.split('/').next().unwrap_or_default();
    let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let own = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    Ok(if own { server.to_owned() } else { format!("{server}?tls=required") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_in_the_clear_on_this_machine_alone() {
        assert_eq!(url("smtp://127.0.0.1:2525").unwrap(), "smtp://127.0.0.1:2525");
        assert_eq!(
            url("smtp://me:pw@mail.example:587").unwrap(),
            "smtp://me:pw@mail.example:587?tls=required"
        );
        assert_eq!(
            url("smtp://127.0.0.1@mail.example").unwrap(),
            "smtp://127.0.0.1@mail.example?tls=required"
        );
        assert_eq!(url("smtps://mail.example").unwrap(), "smtps://mail.example");
        assert!(matches!(url("smtp://mail.example?tls=opportunistic"), Err(MailError::Settings)));
        assert!(matches!(url("mail.example"), Err(MailError::Server)));
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_told_without_the_password() {
        let setup = |server: &str, from: &str| MailSetup { server: server.to_owned(), from: from.to_owned() };
        for wrong in [setup("smtp://me:geheim@", "a@b.nl"), setup("http://me:geheim@x", "a@b.nl")] {
            let said = format!("{} {wrong:?}", Mail::new(&wrong).unwrap_err());
            assert!(!said.contains("geheim"), "{said}");
        }
        assert!(Mail::new(&setup("smtp://127.0.0.1", "nobody")).is_err());
        let said = format!("{:?}", setup("smtp://me:geheim@x", "a@b.nl"));
        assert!(!said.contains("geheim"), "{said}");
    }
}
