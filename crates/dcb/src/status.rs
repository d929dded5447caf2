//! What went wrong, as clients expect to be told: a code of gRPC, and in the details the kind of error.
//!
//! Not here: what can go wrong (`eventlog`).

use std::error::Error;

use eventlog::{AppendError, ReadError};
use prost::Message as _;
use tonic::{Code, Status};

use crate::wire::{ErrorResponse, error_response::ErrorType};

fn with_details(code: Code, kind: ErrorType, message: String) -> Status {
    let details = ErrorResponse { message: message.clone(), error_type: kind.into() };
    Status::with_details(code, message, details.encode_to_vec().into())
}

/// Nothing was appended because of what is recorded.
pub(crate) fn integrity(message: String) -> Status {
    with_details(Code::FailedPrecondition, ErrorType::Integrity, message)
}

/// The request can not be answered, whatever is recorded.
pub(crate) fn invalid(message: String) -> Status {
    with_details(Code::InvalidArgument, ErrorType::InvalidArgument, message)
}

/// What is recorded can not be what was written.
pub(crate) fn corruption(message: String) -> Status {
    with_details(Code::DataLoss, ErrorType::Corruption, message)
}

/// A defect of the server.
pub(crate) fn internal(message: String) -> Status {
    with_details(Code::Internal, ErrorType::Internal, message)
}

fn io(message: String) -> Status {
    with_details(Code::Internal, ErrorType::Io, message)
}

/// The server is going away. Without details: clients tell a lost connection the same way.
pub(crate) fn stopping() -> Status {
    Status::unavailable("the server is stopping; ask again when it is back")
}

/// There are as many of these as the server keeps.
pub(crate) fn exhausted(message: String) -> Status {
    Status::resource_exhausted(message)
}

/// Why a batch was not appended.
pub(crate) fn of_append(error: &AppendError) -> Status {
    let text = chain(error);
    match error {
        AppendError::Conflict { .. } | AppendError::ConditionFailed { .. } => integrity(text),
        AppendError::Empty | AppendError::TooLarge { .. } => invalid(text),
        AppendError::Stopped { .. } => io(text),
        AppendError::Unreadable(error) => of_read(error),
        AppendError::Closed => stopping(),
    }
}

/// Why something could not be read.
pub(crate) fn of_read(error: &ReadError) -> Status {
    let text = chain(error);
    match error {
        ReadError::Damaged { .. } => corruption(text),
        ReadError::Io { .. } => io(text),
        ReadError::TooManyItems { .. } => invalid(text),
        ReadError::Closed => stopping(),
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn kind(status: &Status) -> ErrorType {
        ErrorResponse::decode(status.details()).unwrap().error_type()
    }

    #[test]
    fn every_error_of_the_log_has_the_code_and_the_kind_that_clients_know() {
        let stopped = of_append(&AppendError::Stopped { reason: Arc::from("no space") });
        assert_eq!((stopped.code(), kind(&stopped)), (Code::Internal, ErrorType::Io));
        assert!(stopped.message().contains("no space"), "{stopped}");

        let damaged =
            ReadError::Damaged { file: "1.seg".into(), offset: 64, what: String::from("a checksum") };
        let damaged = of_append(&AppendError::Unreadable(damaged));
        assert_eq!((damaged.code(), kind(&damaged)), (Code::DataLoss, ErrorType::Corruption));
        assert!(damaged.message().contains("1.seg at byte 64"), "{damaged}");

        let failed = of_append(&AppendError::ConditionFailed { position: 7 });
        assert_eq!((failed.code(), kind(&failed)), (Code::FailedPrecondition, ErrorType::Integrity));
        assert!(failed.message().contains("position 7"), "{failed}");

        let large = AppendError::TooLarge { what: "tags", index: Some(1), found: 65, max: 64 };
        let large = of_append(&large);
        assert_eq!((large.code(), kind(&large)), (Code::InvalidArgument, ErrorType::InvalidArgument));

        let closed = of_append(&AppendError::Closed);
        assert_eq!((closed.code(), closed.details().is_empty()), (Code::Unavailable, true));
    }
}
