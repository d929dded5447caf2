//! Who sits before the screen: accounts with a password, sessions, and how often somebody may try.
//!
//! An account is a person who works for a source of the network, a device that stays on a ward, or an auditor. Accounts stand
//! in a file of their own, which is read again when it changes; sessions are kept on the server, as hashes. Not here: what
//! somebody may do (`domain::access`), the pages (`site`). A sign-in by an organisation's own provider (OIDC) comes to stand
//! beside `Door::sign_in` and ends in the same [`Sessions`].

mod accounts;
mod door;
mod sessions;
mod throttle;

pub use accounts::{
    Account, AccountName, Accounts, AccountsError, As, Mandate, MandateKind, PASSWORD_CHARS_MIN,
};
pub(crate) use door::SignIn;
pub use door::{Door, DoorError};
pub use sessions::{
    DEVICE_OPEN_FOR_MAX, OPEN_FOR_MAX, SESSIONS_MAX, SESSIONS_OF_ONE_MAX, Session, Sessions, UNUSED_FOR_MAX,
};
pub use throttle::{TRIES_OF_ONE_PER_MINUTE_MAX, TRIES_PER_MINUTE_MAX, Throttle};
