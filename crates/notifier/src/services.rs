//! Which push services this node may reach. A browser names the address it wants to be told at, so without such a list anybody who
//! signs in could have the node call any address of the network it stands in.
//!
//! Not here: what is sent there (`push`).

use std::str::FromStr;

use ureq::http::Uri;

/// The longest address of a device, in bytes; those of today have some two hundred.
pub(crate) const ENDPOINT_BYTES_MAX: usize = 1_024;
/// The most services of a list.
const SERVICES_MAX: usize = 32;

/// Hosts of push services; `*.` before one stands for every host below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushServices(Vec<String>);

/// The list is not right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no host of a push service: name hosts such as push.example or *.push.example, separated by commas"
)]
pub struct ServicesError(String);

impl Default for PushServices {
    /// Those of the browsers: Chrome, Firefox, Safari, Edge.
    fn default() -> Self {
        let hosts = [
            "fcm.googleapis.com",
            "updates.push.services.mozilla.com",
            "web.push.apple.com",
            "*.notify.windows.com",
        ];
        Self(hosts.map(str::to_owned).into())
    }
}

impl FromStr for PushServices {
    type Err = ServicesError;

    fn from_str(text: &str) -> Result<Self, ServicesError> {
        let hosts: Vec<String> = text.split(',').map(|host| host.trim().to_ascii_lowercase()).collect();
        let fits = |host: &String| {
            let bare = host.strip_prefix("*.").unwrap_or(host);
            bare.contains('.')
                && bare.len() <= 253
                && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        };
        match hosts.iter().find(|host| !fits(host)) {
            Some(host) => Err(ServicesError(host.clone())),
            None if hosts.len() > SERVICES_MAX => Err(ServicesError("more than 32 of them".to_owned())),
            None => Ok(Self(hosts)),
        }
    }
}

impl PushServices {
    /// Whether a device may be told at this address: HTTPS at a host of the list. Plain HTTP only at this machine's own
    /// 127.0.0.1, where the list names it, for a push service of a test.
    #[must_use]
    pub fn allow(&self, endpoint: &str) -> bool {
        parsed(endpoint).is_some_and(|address| {
            let (Some(host), Some(authority)) = (address.host(), address.authority()) else { return false };
            let host = host.to_ascii_lowercase();
            let named = self.0.iter().any(|known| match known.strip_prefix("*.") {
                Some(above) => host.strip_suffix(above).is_some_and(|below| below.ends_with('.')),
                None => *known == host,
            });
            let bare = !authority.as_str().contains('@');
            let secure =
                address.scheme_str() == Some("https") && matches!(address.port_u16(), None | Some(443));
            let own = address.scheme_str() == Some("http") && host == "127.0.0.1";
            named && bare && (secure || own)
        })
    }
}

fn parsed(endpoint: &str) -> Option<Uri> {
    if endpoint.len() > ENDPOINT_BYTES_MAX { None } else { endpoint.parse().ok() }
}

/// The origin of an address, for whom a token is (RFC 8292, section 2).
pub(crate) fn origin(endpoint: &str) -> Option<String> {
    let address = parsed(endpoint)?;
    Some(format!("{}://{}", address.scheme_str()?, address.authority()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_of_the_list_are_reached_and_only_over_https() {
        let services = PushServices::default();
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com:443/abc",
            "https://wns2-par02p.notify.windows.com/w/?token=abc",
        ] {
            assert!(services.allow(good), "{good}");
        }
        let long = format!("https://fcm.googleapis.com/{}", "a".repeat(ENDPOINT_BYTES_MAX));
        for bad in [
            "http://fcm.googleapis.com/abc",
            "https://fcm.googleapis.com:8443/abc",
            "https://fcm.googleapis.com.evil.example/abc",
            "https://evil.example/fcm.googleapis.com",
            "https://me@fcm.googleapis.com/abc",
            "https://fcm.googleapis.com@evil.example/abc",
            "https://notify.windows.com/abc",
            "https://evilnotify.windows.com/abc",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:8080/api",
            "https://[::1]/abc",
            "file:///etc/passwd",
            "/abc",
            "",
            &long,
        ] {
            assert!(!services.allow(bad), "{bad}");
        }
    }

    #[test]
    fn a_list_names_hosts_and_only_a_test_names_this_machine() {
        let services: PushServices = "push.example.nl, *.push.example".parse().unwrap();
        assert!(services.allow("https://push.example.nl/a") && services.allow("https://b.push.example/a"));
        assert!(!services.allow("https://fcm.googleapis.com/a"));
        let own: PushServices = "127.0.0.1".parse().unwrap();
        assert!(own.allow("http://127.0.0.1:4000/a") && !own.allow("http://localhost:4000/a"));
        for bad in ["", "localhost", "https://push.example", "*", "a.b,"] {
            assert!(bad.parse::<PushServices>().is_err(), "{bad}");
        }
    }
}
