//! Why a dialog is wrong.
use std::fmt;
use std::io;

/// One sentence for the person who reads the failed test, made with `"...".into()`.
#[derive(Debug)]
pub(crate) struct Failure(pub(super) String);

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The sentence as a result.
pub(crate) fn fail<T>(text: impl Into<String>) -> Result<T> {
    Err(Failure(text.into()))
}

/// The error for a wait that reached its bound, to distinguish it from a client that has closed.
pub(crate) fn timed_out(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, text.into())
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self(error.to_string()),
            _ => Self(format!("the client is gone: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
