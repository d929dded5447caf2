//! Somebody who is signed in and has no script: pages are got, forms are sent, redirects are gone after.
#![expect(clippy::missing_panics_doc, reason = "test code: without an answer the test has failed")]

use std::net::SocketAddr;

use crate::http::{Answer, ask};

/// The password of every account of a test.
pub const PASSWORD: &str = "correct paard batterij";

/// One browser without a script.
#[derive(Clone, Debug)]
pub struct Session {
    address: SocketAddr,
    cookie: String,
}

impl Session {
    /// Nobody.
    #[must_use]
    pub fn nobody(address: SocketAddr) -> Self {
        Self { address, cookie: String::new() }
    }

    /// Signs in with an account of the test.
    pub async fn sign_in(address: SocketAddr, name: &str) -> Self {
        let mut session = Self::nobody(address);
        let answer = session.post("/inloggen", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{name}: {}", answer.body);
        let set = answer.header("set-cookie").unwrap();
        set.split(';').next().unwrap().clone_into(&mut session.cookie);
        session
    }

    /// Signs in with another account in the same browser, with the cookies it has.
    pub async fn sign_in_again(&self, name: &str) -> Self {
        let answer = self.post("/inloggen", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{name}: {}", answer.body);
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        Self { address: self.address, cookie }
    }

    /// What is at this path.
    pub async fn get(&self, path: &str) -> Answer {
        let Self { address, cookie } = self;
        let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncookie: {cookie}\r\n");
        ask(*address, &format!("{head}\r\n")).await
    }

    /// The page, which has to be there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {} {}", answer.head, answer.body);
        answer.body
    }

    /// Its cookie, as a header has it.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Sends a form, as a browser without a script does.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post_raw(path, "origin: http://test\r\n", &body).await
    }

    /// Sends the body of a form with these header lines.
    pub async fn post_raw(&self, path: &str, headers: &str, body: &str) -> Answer {
        let Self { address, cookie } = self;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncookie: {cookie}\r\n{headers}\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        ask(*address, &request).await
    }

    /// Sends a form that has to be taken, and gets the page it leads to.
    pub async fn does(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.body);
        let to = answer.header("location").unwrap().split('#').next().unwrap().to_owned();
        self.page(&to).await
    }
}
