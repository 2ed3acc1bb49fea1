//! [`TlsError`]: why TLS did not come about, or broke.

use std::error::Error as StdError;
use std::fmt;

use crate::reply::Reply;
use crate::step::Step;

/// Why TLS did not come about, or broke.
///
/// `source` of the [`Error`](crate::Error) is what the platform's TLS library says of it, where
/// that was asked.
#[derive(Debug)]
pub struct TlsError {
    pub(crate) step: Step,
    pub(crate) reason: TlsReason,
    /// The TLS library's own account.
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
    /// What came without TLS; nobody knows from whom.
    pub(crate) in_clear: Option<Box<Reply>>,
    /// It came right behind our part of the handshake.
    pub(crate) is_verdict: bool,
}

/// What a user can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsReason {
    /// The server wants a certificate of the client's, or another one than it was shown
    /// ([`Config::client_identity`](crate::Config::client_identity)).
    ClientCertificate,
    /// The server spoke without TLS: the port expects STARTTLS, or the server fell back to plain
    /// text to say goodbye.
    InClear,
    /// The server refused TLS before it had begun, as one does that is too old.
    Refused,
    /// Anything else: the source has the TLS library's words.
    Other,
}

/// The alerts that judge a client's certificate (RFC 8446, 6.2).
const CERTIFICATE_ALERTS: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];
/// OpenSSL gives the number of every alert; the others keep it to themselves.
const NUMBERS_ARE_TOLD: bool = cfg!(not(any(windows, target_vendor = "apple")));

impl TlsError {
    /// TLS failed, as a TLS library has it.
    pub(crate) fn new(
        step: Step,
        source: Box<dyn StdError + Send + Sync>,
        is_verdict: bool,
        in_clear: Option<Reply>,
    ) -> Self {
        let alert = alert_number(&source.to_string());
        let is_about_us = alert.is_some_and(|number| CERTIFICATE_ALERTS.contains(&number));
        let reason = match in_clear {
            Some(_) => TlsReason::InClear,
            None if is_about_us => TlsReason::ClientCertificate,
            None => TlsReason::Other,
        };
        Self {
            step,
            reason,
            source: Some(source),
            in_clear: in_clear.map(Box::new),
            is_verdict,
        }
    }

    /// The server sent an alert before the handshake could begin.
    pub(crate) fn refused() -> Self {
        Self {
            step: Step::Handshake,
            reason: TlsReason::Refused,
            source: None,
            in_clear: None,
            is_verdict: false,
        }
    }

    /// What a user can do something about.
    #[must_use]
    pub fn reason(&self) -> TlsReason {
        self.reason
    }

    /// The place in the session: the handshake, or where the connection was used.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// Whether it is the connection that broke, and not one of the two sides that disagrees.
    pub(crate) fn is_transient(&self) -> bool {
        match (self.reason, &self.in_clear) {
            (TlsReason::InClear, Some(reply)) if self.step == Step::Handshake => {
                reply.is_transient()
            }
            (TlsReason::InClear, _) => true,
            (TlsReason::Other, _) => self.step != Step::Handshake && !self.is_verdict,
            _ => false,
        }
    }

    fn fmt_reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, &self.in_clear, &self.source) {
            (TlsReason::ClientCertificate, ..) => f.write_str(
                "the server wants a client certificate that it trusts: give one to the configuration",
            ),
            (TlsReason::Refused, ..) => f.write_str(
                "the server refused before it began: it may be too old for TLS 1.2",
            ),
            (TlsReason::InClear, Some(reply), _) => {
                write!(f, "the server spoke without TLS, saying: {reply}")?;
                f.write_str(if self.step == Step::Handshake && reply.is_positive() {
                    "; does this port expect STARTTLS?"
                } else {
                    ""
                })
            }
            (_, _, Some(source)) => {
                write!(f, "{source}")?;
                f.write_str(self.hint(&source.to_string()))
            }
            _ => f.write_str("nothing is known of the reason"),
        }
    }

    fn hint(&self, words: &str) -> &'static str {
        if words.contains("certificate verify failed") {
            "; a private root can be added to the configuration"
        } else if words.contains("wrong version number") {
            "; does this port expect STARTTLS?"
        } else if self.is_verdict && !NUMBERS_ARE_TOLD {
            "; does the server want a client certificate?"
        } else {
            ""
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Handshake => f.write_str("the TLS handshake failed: ")?,
            step => write!(f, "TLS failed at {step}: ")?,
        }
        self.fmt_reason(f)
    }
}

impl StdError for TlsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// The number of the alert that the server sent, which some TLS libraries tell among their words.
fn alert_number(words: &str) -> Option<u8> {
    let (_, behind) = words.split_once("alert number ")?;
    let digits = behind.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn because(words: &str, is_verdict: bool) -> TlsError {
        TlsError::new(Step::Greeting, words.into(), is_verdict, None)
    }

    // RFC 8446, 6.2: the number is the standard's, the words around it are the TLS library's.
    #[test]
    fn alerts_about_our_certificate() {
        for number in 0..=255_u8 {
            let error = because(&format!("an error: SSL alert number {number}"), true);
            let is_about_us = error.reason() == TlsReason::ClientCertificate;
            assert_eq!(
                is_about_us,
                CERTIFICATE_ALERTS.contains(&number),
                "{number}"
            );
            assert!(is_about_us || error.reason() == TlsReason::Other);
        }
        assert_eq!(
            because("SSL alert number 116", true).to_string(),
            "TLS failed at the greeting: the server wants a client certificate that it trusts: give one to the configuration"
        );
    }

    // Where the library keeps the number to itself, the moment speaks.
    #[test]
    fn a_verdict_without_a_number() {
        let error = because("the context is gone", true);
        let hint = ["; does the server want a client certificate?", ""];
        assert_eq!(
            error.to_string(),
            format!(
                "TLS failed at the greeting: the context is gone{}",
                hint[usize::from(NUMBERS_ARE_TOLD)]
            )
        );
        assert!(!error.is_transient());
        let later = because("bad record", false);
        assert_eq!(later.to_string(), "TLS failed at the greeting: bad record");
        assert!(later.is_transient());
    }
}
