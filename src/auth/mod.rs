//! Mechanisms to log in with (SASL, RFC 4422), and the trait for your own.
//!
//! [`Credentials`](crate::Credentials) choose the best mechanism that the server offers. You need
//! these types only to insist on one mechanism:
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
pub(crate) mod user;

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
/// Implement it to log in with a mechanism that the crate does not have, and pass it to
/// [`SmtpConnection::authenticate`](crate::SmtpConnection::authenticate). Responses and challenges
/// are plain bytes: the connection takes care of base64, limits and cancelling.
///
/// ```
/// use smtplib::auth::Mechanism;
///
/// /// A one-time password from a device, for a server with its own mechanism.
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

    /// Returns the first response, or `None` if the server begins; an empty response counts as one.
    fn initial_response(&mut self) -> Option<Vec<u8>>;

    /// Returns the response to a challenge, or `None` to cancel.
    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>>;

    /// Returns true if the responses must not be sent without TLS; the default is true.
    fn needs_tls(&self) -> bool {
        true
    }

    /// Returns true if the server's report of success is enough; the default is true.
    ///
    /// If the server has to prove itself, return false until you have seen the proof.
    fn is_satisfied(&self) -> bool {
        true
    }

    /// Takes the data that came with the server's report of success; by default it does nothing.
    ///
    /// SASL allows such data (RFC 4422, 3.6), but SMTP has no place for it. Some servers write it
    /// into the text of the 235, in base64. This is called only if
    /// [`is_satisfied`](Self::is_satisfied) is still false.
    fn finish(&mut self, _data: &[u8]) {}

    /// Returns why [`respond`](Self::respond) cancelled; the default is [`AuthReason::Cancelled`].
    ///
    /// After [`AuthReason::ServerUnproven`] the connection is closed.
    fn reason(&self) -> AuthReason {
        AuthReason::Cancelled
    }

    /// Returns true if this mechanism ignores challenges; the default is false.
    ///
    /// If true, a challenge that is not base64 is not an error.
    fn ignores_challenges(&self) -> bool {
        false
    }

    /// Returns details about a failure, in the server's words if possible; the default is none.
    fn failure(&self) -> Option<&str> {
        None
    }

    /// Returns the password or token, so that it can be masked if the server repeats it; the
    /// default is none.
    fn secret(&self) -> Option<&str> {
        None
    }
}
