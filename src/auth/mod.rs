//! Mechanisms to log in by (SASL, RFC 4422), and the trait for your own.
//!
//! [`Credentials`](crate::Credentials) choose the best mechanism that the server offers, so that these
//! are needed only to insist on one:
//!
//! ```no_run
//! use smtplib::SmtpConnection;
//! use smtplib::auth::Plain;
//!
//! # fn main() -> Result<(), smtplib::Error> {
//! let mut smtp = SmtpConnection::connect("mail.example.com", 587)?;
//! smtp.starttls()?;
//! smtp.authenticate(&mut Plain::new("alice", "secret")?)?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod account;
pub(crate) mod anonymous;
pub(crate) mod choice;
#[cfg(feature = "cram-md5")]
pub(crate) mod cram_md5;
pub(crate) mod credentials;
pub(crate) mod dialog;
pub(crate) mod error;
pub(crate) mod external;
pub(crate) mod login;
pub(crate) mod oauth;
pub(crate) mod plain;
#[cfg(feature = "scram")]
pub(crate) mod scram;
pub(crate) mod table;

use crate::auth::error::AuthReason;

pub use crate::auth::anonymous::Anonymous;
#[cfg(feature = "cram-md5")]
pub use crate::auth::cram_md5::CramMd5;
pub use crate::auth::external::External;
pub use crate::auth::login::Login;
pub use crate::auth::oauth::{OAuthBearer, XOAuth2};
pub use crate::auth::plain::Plain;
#[cfg(feature = "scram")]
pub use crate::auth::scram::Scram;

/// One run of a SASL mechanism, from the client's side.
///
/// Implement it to log in by a mechanism that the crate does not have, and pass it to
/// [`SmtpConnection::authenticate`](crate::SmtpConnection::authenticate). Responses and challenges
/// are plain bytes: the connection takes care of base64, limits and cancelling.
///
/// ```
/// use smtplib::auth::Mechanism;
///
/// /// A one-time password from a device, by a mechanism of the server's own.
/// #[derive(Debug)]
/// struct OneTime(String);
///
/// impl Mechanism for OneTime {
///     fn name(&self) -> &str {
///         "X-ONE-TIME"
///     }
///     fn initial_response(&mut self) -> Option<Vec<u8>> {
///         Some(self.0.clone().into_bytes())
///     }
///     fn respond(&mut self, _challenge: &[u8]) -> Option<Vec<u8>> {
///         None
///     }
///     fn needs_tls(&self) -> bool {
///         true
///     }
/// }
/// ```
pub trait Mechanism {
    /// Returns the registered name: 1 to 20 of `A-Z`, `0-9`, `-` and `_` (RFC 4422, 3.1).
    fn name(&self) -> &str;

    /// Returns what the client says first, or `None` if the server speaks first. An empty response
    /// is a response.
    fn initial_response(&mut self) -> Option<Vec<u8>>;

    /// Returns the response to a challenge, or `None` to cancel.
    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>>;

    /// Returns true if the responses need protection. Without TLS logging in is refused then. The
    /// default is true.
    fn needs_tls(&self) -> bool {
        true
    }

    /// Returns true if the server's report of success is enough. The default is true.
    ///
    /// A mechanism in which the server proves itself, too, returns false until it has seen the
    /// proof.
    fn is_satisfied(&self) -> bool {
        true
    }

    /// Takes the data that came with the server's report of success. By default it does nothing.
    ///
    /// SASL allows data there (RFC 4422, 3.6), and SMTP has no place for it. Some servers write it,
    /// in base64, into the text of the 235. It is called only if
    /// [`is_satisfied`](Self::is_satisfied) is still false.
    fn finish(&mut self, _data: &[u8]) {}

    /// Returns why [`respond`](Self::respond) cancelled. The default is [`AuthReason::Cancelled`].
    ///
    /// After [`AuthReason::ServerUnproven`] the connection is closed.
    fn reason(&self) -> AuthReason {
        AuthReason::Cancelled
    }

    /// Returns true if challenges mean nothing to this mechanism. Then one that is not base64 is no
    /// error. The default is false.
    fn ignores_challenges(&self) -> bool {
        false
    }

    /// Returns what went wrong within the mechanism, in the server's words if there are any. The
    /// default is none.
    fn failure(&self) -> Option<&str> {
        None
    }

    /// Returns the password or token, so that it can be masked if the server repeats it. The
    /// default is none.
    fn secret(&self) -> Option<&str> {
        None
    }
}
