//! Which messages the NATS client can not read: it ends its connection, or itself, on them.
//!
//! Not here: what is done with them (`mailbox`).

/// What of a message makes the client give up, as its parser (async-nats 0.51, `connection.rs`) has it.
pub(super) fn unreadable(subject: &str, headers: &[u8]) -> Option<&'static str> {
    // The broker puts the replacement character where the subject is not UTF-8.
    if subject.contains(|c: char| c.is_whitespace() || c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Some("its subject is not readable");
    }
    if headers.is_empty() {
        return None;
    }
    let Ok(headers) = std::str::from_utf8(headers) else { return Some("its headers are not UTF-8") };
    let mut lines = headers.lines().peekable();
    // What follows the version is a status, with which only the broker itself speaks.
    if lines.next().and_then(|line| line.strip_prefix("NATS/1.0")).is_none_or(|rest| !rest.trim().is_empty())
    {
        return Some("its headers do not begin with their version");
    }
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { return Some("a header has no colon") };
        if name.parse::<async_nats::HeaderName>().is_err() {
            return Some("a header has a name that is none");
        }
        let mut value = value.trim_start().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with(char::is_whitespace)) {
            value.push_str(more);
        }
        if value.trim_end().contains('\r') {
            return Some("a header has a line end in its value");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::unreadable;

    #[test]
    fn what_the_client_can_not_read_is_told_from_what_it_can() {
        for readable in [
            &b""[..],
            b"NATS/1.0\r\n\r\n",
            b"NATS/1.0\r\nce-id: 1\r\nX:\r\nY: a: b\r\n more\r\n\r\n",
            "NATS/1.0\r\nX: caf\u{e9}\r\n\r\n".as_bytes(),
        ] {
            assert_eq!(
                unreadable("in.zk01.de-linde.bed.freed", readable),
                None,
                "{}",
                readable.escape_ascii()
            );
        }
        for headers in [
            &b"X: 1\r\n\r\n"[..],
            b"NATS/1.0 100 idle\r\n\r\n",
            b"NATS/1.0\r\nX: \xff\r\n\r\n",
            b"NATS/1.0\r\nX\r\n\r\n",
            b"NATS/1.0\r\nX Y: 1\r\n\r\n",
            b"NATS/1.0\r\nX: 1\r2\r\n\r\n",
            b"NATS/1.0\r\n X: 1\r\n\r\n",
        ] {
            assert!(
                unreadable("in.zk01.de-linde.bed.freed", headers).is_some(),
                "{}",
                headers.escape_ascii()
            );
        }
        assert!(unreadable("in.zk01.\u{fffd}", b"").is_some());
        assert!(unreadable("in.zk01.a\u{2003}b", b"").is_some());
    }
}
