//! [`CredentialsError`]: what a user name, a password or a token cannot be.

use std::error::Error as StdError;
use std::fmt;

/// Why credentials cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A control character stands in the user name, the password or the token.
    Control,
    /// The user name, the password or the token is empty.
    Empty,
    /// The token has a character that no bearer token has (RFC 6750, 2.1).
    Token,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => {
                "the user name or password has a control character in it: is it a line end left over from a file?"
            }
            Self::Empty => "the user name or password is empty",
            Self::Token => "the token has a character that no bearer token has: was it cut out of its JSON?",
        })
    }
}

impl StdError for CredentialsError {}

/// A user name or password may hold anything but control characters, and PLAIN's NUL is one of
/// them.
pub(crate) fn check_text(text: &str) -> Result<(), CredentialsError> {
    if text.chars().any(char::is_control) {
        Err(CredentialsError::Control)
    } else {
        Ok(())
    }
}

/// As [`check_text`], and not empty.
pub(crate) fn check_name(text: &str) -> Result<(), CredentialsError> {
    if text.is_empty() {
        Err(CredentialsError::Empty)
    } else {
        check_text(text)
    }
}
