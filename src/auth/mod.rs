//! SASL (RFC 4422) without the connection: what each mechanism answers to what challenge.

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

/// One run of a SASL mechanism, from the client's side.
///
/// Implement it to log in by a mechanism that the crate does not have, and hand it to
/// [`SmtpConnection::authenticate`](crate::SmtpConnection::authenticate). Responses and challenges
/// are plain octets; base64, limits and cancelling are the connection's part.
///
/// ```
/// use smtplib::Mechanism;
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
    /// The registered name: 1 to 20 of `A-Z`, `0-9`, `-` and `_` (RFC 4422, 3.1).
    fn name(&self) -> &str;

    /// What the client says first, if the mechanism lets it speak first; empty is not the same as
    /// nothing.
    fn initial_response(&mut self) -> Option<Vec<u8>>;

    /// The answer to a challenge, or `None` to call the exchange off.
    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>>;

    /// Whether eavesdroppers would learn something worth having. If so, a connection without TLS
    /// refuses to begin.
    fn needs_tls(&self) -> bool {
        true
    }

    /// Whether the mechanism has no further doubts when the server reports success.
    ///
    /// A mechanism that authenticates the server, too, says `false` here until it has seen the
    /// proof.
    fn is_satisfied(&self) -> bool {
        true
    }

    /// Takes what came with the server's report of success.
    ///
    /// SASL allows data there (RFC 4422, 3.6) and SMTP has no place for it; some servers write it,
    /// in base64, into the text of the 235. It is called before
    /// [`is_satisfied`](Self::is_satisfied), and only if that is still `false`.
    fn finish(&mut self, _data: &[u8]) {}

    /// Why [`respond`](Self::respond) called the exchange off.
    ///
    /// After [`AuthReason::ServerUnproven`] the connection is closed.
    fn reason(&self) -> AuthReason {
        AuthReason::Cancelled
    }

    /// Whether challenges mean nothing to this mechanism, so that one that is not base64 may pass.
    fn ignores_challenges(&self) -> bool {
        false
    }

    /// What went wrong inside the exchange, in the server's words if it had any.
    fn failure(&self) -> Option<&str> {
        None
    }

    /// The password or token, so that it can be masked if the server repeats it.
    fn secret(&self) -> Option<&str> {
        None
    }
}
