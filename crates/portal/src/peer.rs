//! From where a request comes: whoever is connected, or whom a proxy that is trusted forwards.
//!
//! Not here: what is counted by it (`server`, `places`, `signin`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Extension;
use axum::http::{HeaderMap, HeaderName};

/// Where a proxy writes from where it got a request: the nearest stands last.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// From where a request comes. Of IPv6 the network of one house: whoever has one address of it has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Peer {
    /// Whoever is connected; or, if that is one of the proxies that are `trusted`, the last address that is none of theirs. What
    /// anybody else writes into that header counts for nothing.
    pub(crate) fn of(connected: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let connected = connected.to_canonical();
        let is_trusted = |address: &IpAddr| trusted.iter().any(|proxy| proxy.to_canonical() == *address);
        if !is_trusted(&connected) {
            return Self(house(connected));
        }
        // What can not be read is none of a proxy's words: then it is the proxy itself that is counted.
        let lines = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        let mut read = hops.iter().rev().map(|hop| address(hop.trim()));
        let first = read.find(|hop| hop.as_ref().is_none_or(|address| !is_trusted(address)));
        Self(house(first.flatten().unwrap_or(connected)))
    }
}

impl Peer {
    /// What the server says of a request; without a server, in a test, it is this machine.
    pub(crate) fn given(said: Option<Extension<Self>>) -> Self {
        said.map_or(Self(IpAddr::V4(Ipv4Addr::LOCALHOST)), |Extension(peer)| peer)
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let read = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    read.ok().map(|address| address.to_canonical())
}

fn house(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(connected: &str, lines: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let trusted = ["127.0.0.1", "10.0.0.1"].map(|text| text.parse().unwrap());
        Peer::of(connected.parse().unwrap(), &headers, &trusted).0.to_string()
    }

    #[test]
    fn only_a_proxy_that_is_trusted_says_where_a_request_comes_from() {
        assert_eq!(seen("192.0.2.7", &["198.51.100.1"]), "192.0.2.7", "anybody can write that");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("::ffff:127.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_whoever_asks_wrote_before_the_proxy_counts_for_nothing() {
        assert_eq!(seen("127.0.0.1", &["203.0.113.9, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &["203.0.113.9", "198.51.100.1, 10.0.0.1"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &["203.0.113.9, nonsense"]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["10.0.0.1, 127.0.0.1"]), "127.0.0.1");
    }

    #[test]
    fn a_house_with_ipv6_is_one_address() {
        assert_eq!(seen("2001:db8:1:2:3:4:5:6", &[]), seen("2001:db8:1:2:ffff::1", &[]));
        assert_eq!(seen("127.0.0.1", &["[2001:db8:1:2::9]:443"]), "2001:db8:1:2::");
    }
}
