//! [`CredentialsError`]: why a user name, a password or a token cannot be sent; and [`AuthReason`].

use std::error::Error as StdError;
use std::fmt;

/// Why credentials cannot be sent.
///
/// ```
/// use smtplib::auth::Plain;
/// use smtplib::error::CredentialsError;
///
/// let error = Plain::new("alice", "secret\n").unwrap_err();
/// assert_eq!(error, CredentialsError::Control);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The user name, the password or the token has a control character.
    Control,
    /// The user name, the password or the token is empty.
    Empty,
    /// The operating system has no random numbers, which SCRAM needs.
    NoRandomness,
    /// The token has a character that no bearer token has (RFC 6750, 2.1).
    Token,
    /// The trace information of ANONYMOUS has more than 255 characters (RFC 4505, 2).
    TooLong,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => {
                "the user name or password has a control character in it: is it a line end left over from a file?"
            }
            Self::Empty => "the user name or password is empty",
            Self::NoRandomness => "the operating system has no random numbers for the login",
            Self::TooLong => "the trace information has more than 255 characters",
            Self::Token => "the token has a character that no bearer token has: does it still have quotes or spaces from the JSON?",
        })
    }
}

impl StdError for CredentialsError {}

/// The reason why logging in failed.
///
/// ```
/// use smtplib::Error;
/// use smtplib::error::AuthReason;
///
/// fn is_wrong_password(error: &Error) -> bool {
///     matches!(error, Error::AuthFailed(failure) if failure.reason() == AuthReason::Refused)
///         && error.is_permanent()
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthReason {
    /// The server's challenge is not base64, or came at a wrong moment.
    BadChallenge,
    /// The mechanism cancelled the login.
    Cancelled,
    /// The server refused the login.
    Refused,
    /// The mechanism's response is longer than a line may be.
    ResponseTooLong,
    /// The server reported success without proving that it knows the secret.
    ServerUnproven,
    /// The server sent more challenges than any mechanism needs.
    TooManyChallenges,
}

impl fmt::Display for AuthReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadChallenge => "the server's challenge is not valid",
            Self::Cancelled => "the mechanism cancelled the login",
            Self::Refused => "the server refused",
            Self::ResponseTooLong => "the response is longer than a line may be",
            Self::ServerUnproven => "the server did not prove that it knows the password",
            Self::TooManyChallenges => "the server sent too many challenges",
        })
    }
}

/// Checks a user name or password. It may contain everything but control characters, which include
/// the NUL that separates the fields of PLAIN.
pub(crate) fn check_text(text: &str) -> Result<(), CredentialsError> {
    if text.chars().any(char::is_control) {
        Err(CredentialsError::Control)
    } else {
        Ok(())
    }
}

/// As [`check_text`]; the text must not be empty.
pub(crate) fn check_name(text: &str) -> Result<(), CredentialsError> {
    if text.is_empty() {
        Err(CredentialsError::Empty)
    } else {
        check_text(text)
    }
}
