//! Every subject and key on the bus, as a type with one way to write it and one way to read it.
//!
//! Not here: who may publish what (`network`, and the broker's own rights).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::{CareType, LocationId, RegionId};
use network::{CentreId, SenderName};

/// The tree heads of the log, and the heartbeat.
pub const HEAD: &str = "head";
/// The name of the key-value bucket with the availability rows.
pub const AVAILABILITY_BUCKET: &str = "availability";

/// The longest entity or event name, in bytes; the longest of the contract has 24.
const EVENT_TOKEN_MAX: usize = 64;

/// A text is not the subject or key that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form {form}")]
pub struct SubjectError {
    /// The form that was wanted.
    pub form: &'static str,
}

/// What happened to what, two tokens of a subject, such as `bed.freed`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(Arc<str>);

impl EventName {
    /// The name as text, `entity.event`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For something to be sent that cannot be read: the recorder judges it, not the sender.
    #[must_use]
    pub fn unreadable() -> Self {
        Self(Arc::from("event.unreadable"))
    }
}

impl FromStr for EventName {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let token = |token: &str| {
            (1..=EVENT_TOKEN_MAX).contains(&token.len())
                && token
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        match text.split_once('.') {
            Some((entity, event)) if token(entity) && token(event) => Ok(Self(Arc::from(text))),
            _ => Err(SubjectError { form: "<entity>.<event>" }),
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A message in the mailbox: `in.<region>.<sender>.<entity>.<event>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InSubject {
    /// The region whose mailbox it is.
    pub region: RegionId,
    /// Who puts it there.
    pub sender: SenderName,
    /// What it says it is.
    pub event: EventName,
}

impl InSubject {
    /// Every subject of the region's mailbox.
    #[must_use]
    pub fn all_of(region: &RegionId) -> String {
        format!("in.{region}.>")
    }
}

impl FromStr for InSubject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let parse = || {
            let (region, rest) = text.strip_prefix("in.")?.split_once('.')?;
            let (sender, event) = rest.split_once('.')?;
            Some(Self {
                region: region.parse().ok()?,
                sender: sender.parse().ok()?,
                event: event.parse().ok()?,
            })
        };
        parse().ok_or(SubjectError { form: "in.<region>.<sender>.<entity>.<event>" })
    }
}

impl fmt::Display for InSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in.{}.{}.{}", self.region, self.sender, self.event)
    }
}

macro_rules! of_a_sender {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $form:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            /// The region of the sender.
            pub region: RegionId,
            /// The sender.
            pub sender: SenderName,
        }

        impl FromStr for $name {
            type Err = SubjectError;
            fn from_str(text: &str) -> Result<Self, SubjectError> {
                let parse = || {
                    let (region, sender) = text.strip_prefix($prefix)?.split_once('.')?;
                    Some(Self { region: region.parse().ok()?, sender: sender.parse().ok()? })
                };
                parse().ok_or(SubjectError { form: $form })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}.{}"), self.region, self.sender)
            }
        }
    };
}

of_a_sender!(
    /// The counter, for one sender: `record.<region>.<sender>`.
    RecordSubject, "record.", "record.<region>.<sender>"
);
of_a_sender!(
    /// The receipts of what a sender put in the mailbox: `receipt.<region>.<sender>`.
    ReceiptSubject, "receipt.", "receipt.<region>.<sender>"
);

impl RecordSubject {
    /// What the recorder listens to at the counter of a region: also what names no sender.
    #[must_use]
    pub fn all_of(region: &RegionId) -> String {
        format!("record.{region}.>")
    }
}

/// A recorded event on its way out: `log.<region>.<entity>.<event>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogSubject {
    /// The region it is about.
    pub region: RegionId,
    /// What happened.
    pub event: EventName,
}

impl LogSubject {
    /// Every recorded event of the region.
    #[must_use]
    pub fn all_of(region: &RegionId) -> String {
        format!("log.{region}.>")
    }
}

impl FromStr for LogSubject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let parse = || {
            let (region, event) = text.strip_prefix("log.")?.split_once('.')?;
            Some(Self { region: region.parse().ok()?, event: event.parse().ok()? })
        };
        parse().ok_or(SubjectError { form: "log.<region>.<entity>.<event>" })
    }
}

impl fmt::Display for LogSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log.{}.{}", self.region, self.event)
    }
}

/// The name of the mailbox stream of a region.
#[must_use]
pub fn mailbox_stream(region: &RegionId) -> String {
    format!("IN_{region}")
}

/// The name of the stream with the recorded events of a region.
#[must_use]
pub fn log_stream(region: &RegionId) -> String {
    format!("LOG_{region}")
}

/// Whom `acute.core.alarm` and the stream `ACUTE_core` are for: nobody's centre may be called so.
pub const ACUTE_CORE: &str = "core";
/// What the names of the streams of alerts begin with.
pub const ACUTE_STREAM_PREFIX: &str = "ACUTE_";

/// The name of the stream with what a coordination centre (or [`ACUTE_CORE`]) is told at once.
#[must_use]
pub fn acute_stream(whom: &str) -> String {
    format!("{ACUTE_STREAM_PREFIX}{whom}")
}

/// What a centre is told at once: `acute.<centre>.<kind>`, also `acute.core.alarm`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AcuteSubject {
    /// The centre, or [`ACUTE_CORE`].
    pub whom: CentreId,
    /// The kind of alert, a token like a centre's code.
    pub kind: CentreId,
}

impl AcuteSubject {
    /// Everything this centre is told.
    #[must_use]
    pub fn all_of(whom: &str) -> String {
        format!("acute.{whom}.>")
    }
}

impl FromStr for AcuteSubject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let parse = || {
            let (whom, kind) = text.strip_prefix("acute.")?.split_once('.')?;
            Some(Self { whom: whom.parse().ok()?, kind: kind.parse().ok()? })
        };
        parse().ok_or(SubjectError { form: "acute.<centre>.<kind>" })
    }
}

impl fmt::Display for AcuteSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acute.{}.{}", self.whom, self.kind)
    }
}

/// What can be asked of a node on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The rows of the board.
    Availability,
    /// Recorded events, also those that the streams no longer keep.
    History,
}

impl Service {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Availability, Self::History];

    /// The last token of its subjects.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::History => "history",
        }
    }
}

/// A request to a node: `svc.doorstroom.<service>` of the node's own users, or `svc.for.<centre>.doorstroom.<service>`,
/// as the broker hands on what a centre asks on `svc.doorstroom.<service>` in its own account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceSubject {
    /// The centre that asks; `None` for the node's own users.
    pub centre: Option<CentreId>,
    /// What is asked.
    pub service: Service,
}

impl FromStr for ServiceSubject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let parse = || {
            let rest = text.strip_prefix("svc.")?;
            let (centre, rest) = match rest.strip_prefix("for.") {
                Some(rest) => rest.split_once('.').map(|(centre, rest)| (Some(centre), rest))?,
                None => (None, rest),
            };
            let centre = centre.map(str::parse).transpose().ok()?;
            let name = rest.strip_prefix("doorstroom.")?;
            let service = Service::ALL.into_iter().find(|service| service.name() == name)?;
            Some(Self { centre, service })
        };
        parse().ok_or(SubjectError { form: "svc.[for.<centre>.]doorstroom.<service>" })
    }
}

impl fmt::Display for ServiceSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("svc.")?;
        if let Some(centre) = &self.centre {
            write!(f, "for.{centre}.")?;
        }
        write!(f, "doorstroom.{}", self.service.name())
    }
}

/// The key of a row in the bucket `availability`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// One location: `<region>.loc.<location>.<care type>`.
    Location {
        /// The region of the location.
        region: RegionId,
        /// The location.
        location: LocationId,
        /// The care type.
        care_type: CareType,
    },
    /// The whole region: `<region>.sum.<care type>`.
    Sum {
        /// The region.
        region: RegionId,
        /// The care type.
        care_type: CareType,
    },
}

impl FromStr for RowKey {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let mut tokens = text.split('.');
        let mut parse = || {
            let region = tokens.next()?.parse().ok()?;
            let key = match tokens.next()? {
                "loc" => {
                    let location = tokens.next()?.parse().ok()?;
                    Self::Location { region, location, care_type: unescape(tokens.next()?)? }
                }
                "sum" => Self::Sum { region, care_type: unescape(tokens.next()?)? },
                _ => return None,
            };
            tokens.next().is_none().then_some(key)
        };
        parse()
            .ok_or(SubjectError { form: "<region>.loc.<location>.<care type> or <region>.sum.<care type>" })
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location { region, location, care_type } => {
                write!(f, "{region}.loc.{location}.")?;
                escape(care_type, f)
            }
            Self::Sum { region, care_type } => {
                write!(f, "{region}.sum.")?;
                escape(care_type, f)
            }
        }
    }
}

/// A care type this version does not know may hold anything, a key may not: other bytes are written `=xx`.
fn escape(care_type: &CareType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in care_type.raw().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            write!(f, "{}", char::from(byte))?;
        } else {
            write!(f, "={byte:02x}")?;
        }
    }
    if care_type.raw().is_empty() { f.write_str("=") } else { Ok(()) }
}

fn unescape(token: &str) -> Option<CareType> {
    if token == "=" {
        return Some(CareType::from(""));
    }
    let mut raw = Vec::with_capacity(token.len());
    let mut bytes = token.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
            let value = digit()?.checked_mul(16)?.checked_add(digit()?)?;
            raw.push(u8::try_from(value).ok()?);
        } else {
            raw.push(byte);
        }
    }
    let care_type = CareType::from(std::str::from_utf8(&raw).ok()?);
    (!raw.is_empty()).then_some(care_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> EventName {
        text.parse().unwrap()
    }

    #[test]
    fn subjects_are_written_as_the_page_has_them() {
        let (region, sender): (RegionId, SenderName) = ("zk23".parse().unwrap(), "de-linde".parse().unwrap());
        let mailbox = InSubject { region: region.clone(), sender: sender.clone(), event: name("bed.freed") };
        assert_eq!(mailbox.to_string(), "in.zk23.de-linde.bed.freed");
        let record = RecordSubject { region: region.clone(), sender: sender.clone() };
        assert_eq!(record.to_string(), "record.zk23.de-linde");
        let receipt = ReceiptSubject { region: region.clone(), sender };
        assert_eq!(receipt.to_string(), "receipt.zk23.de-linde");
        let log = LogSubject { region: region.clone(), event: name("bed.freed") };
        assert_eq!(log.to_string(), "log.zk23.bed.freed");
        let sum = RowKey::Sum { region: region.clone(), care_type: CareType::Grz };
        assert_eq!(sum.to_string(), "zk23.sum.GRZ");
        let location = "zk23-de-linde".parse().unwrap();
        let row = RowKey::Location { region, location, care_type: CareType::ElvLc };
        assert_eq!(row.to_string(), "zk23.loc.zk23-de-linde.ELV_LC");
    }

    #[test]
    fn what_is_no_subject_of_ours_is_refused() {
        let long = format!("in.zk23.a.bed.{}", "x".repeat(4_096));
        let many = format!("in.zk23.a.bed.freed{}", ".x".repeat(200));
        for text in [
            "in.zk23.a.bed",
            "in.zk23.a.bed.freed.now",
            "in.zk23.*.bed.freed",
            "in.zk23.a.bed.>",
            "in.zk23.a b.bed.freed",
            "in..a.bed.freed",
            "in.ZK23.a.bed.freed",
            "record.zk23.a",
            "",
            long.as_str(),
            many.as_str(),
        ] {
            assert!(text.parse::<InSubject>().is_err(), "{text}");
        }
        for text in ["record.zk23", "record.zk23.a.b", "record.zk23.>", "receipt.zk23.a"] {
            assert!(text.parse::<RecordSubject>().is_err(), "{text}");
        }
        for text in ["acute.core", "acute.core.alarm.x", "acute.*.alarm", "acute.a b.alarm"] {
            assert!(text.parse::<AcuteSubject>().is_err(), "{text}");
        }
        for text in [
            "svc.doorstroom",
            "svc.doorstroom.x",
            "svc.for.doorstroom.history",
            "svc.for.*.doorstroom.history",
        ] {
            assert!(text.parse::<ServiceSubject>().is_err(), "{text}");
        }
        for text in ["zk23.loc.GRZ", "zk23.sum.", "zk23.sum.=4", "zk23.sum.GRZ.x", "zk23.all.GRZ"] {
            assert!(text.parse::<RowKey>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            region in "[a-z0-9-]{2,32}", sender in "[a-z0-9-]{1,64}", location in "[a-z0-9-]{3,64}",
            event in "[a-z0-9-]{1,20}\\.[a-z0-9-]{1,20}", care_type in ".{0,20}",
        ) {
            let (region, sender): (RegionId, SenderName) = (region.parse().unwrap(), sender.parse().unwrap());
            let event = name(&event);
            let mailbox = InSubject { region: region.clone(), sender: sender.clone(), event: event.clone() };
            prop_assert_eq!(mailbox.to_string().parse::<InSubject>().unwrap(), mailbox);
            let record = RecordSubject { region: region.clone(), sender: sender.clone() };
            prop_assert_eq!(record.to_string().parse::<RecordSubject>().unwrap(), record);
            let receipt = ReceiptSubject { region: region.clone(), sender: sender.clone() };
            prop_assert_eq!(receipt.to_string().parse::<ReceiptSubject>().unwrap(), receipt);
            let log = LogSubject { region: region.clone(), event };
            prop_assert_eq!(log.to_string().parse::<LogSubject>().unwrap(), log);
            let care_type = CareType::from(care_type.as_str());
            let sum = RowKey::Sum { region: region.clone(), care_type: care_type.clone() };
            prop_assert_eq!(sum.to_string().parse::<RowKey>().unwrap(), sum);
            let acute = AcuteSubject { whom: sender.as_str().parse().unwrap(), kind: "silent".parse().unwrap() };
            prop_assert_eq!(acute.to_string().parse::<AcuteSubject>().unwrap(), acute.clone());
            for (centre, service) in [(None, Service::History), (Some(acute.whom), Service::Availability)] {
                let asked = ServiceSubject { centre, service };
                prop_assert_eq!(asked.to_string().parse::<ServiceSubject>().unwrap(), asked);
            }
            let location = location.parse().unwrap();
            let row = RowKey::Location { region, location, care_type };
            prop_assert_eq!(row.to_string().parse::<RowKey>().unwrap(), row);
        }
    }
}
