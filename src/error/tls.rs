//! [`TlsError`]: why TLS did not come about, or broke.

use std::error::Error as StdError;
use std::fmt;

use crate::endpoint::Endpoint;
use crate::reply::{Reply, Shown};
use crate::step::Step;

/// Why TLS could not be set up, or broke.
///
/// If the reason is [`TlsReason::Other`], the sentence has the words of the platform's TLS
/// library.
///
/// ```no_run
/// use smtplib::error::TlsReason;
/// use smtplib::{Config, Error};
///
/// match Config::new("mail.example.com").connect() {
///     Err(Error::Tls(error)) if error.reason() == TlsReason::UnknownIssuer => {
///         eprintln!("add the issuer's certificate: {error}");
///     }
///     Err(error) => eprintln!("{error}"),
///     Ok(smtp) => drop(smtp.quit()),
/// }
/// ```
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
    /// Which server, while connecting.
    pub(crate) server: Option<Box<Endpoint>>,
}

/// Why TLS failed, as far as a user can change it.
///
/// ```
/// use smtplib::Error;
/// use smtplib::error::TlsReason;
///
/// fn is_expired(error: &Error) -> bool {
///     matches!(error, Error::Tls(error) if error.reason() == TlsReason::Expired)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsReason {
    /// The server wants a client certificate, or a different one
    /// ([`Config::client_identity`](crate::Config::client_identity)).
    ClientCertificate,
    /// The server's certificate has expired, unless this machine's clock is wrong.
    Expired,
    /// The server's certificate is not valid yet, unless this machine's clock is wrong.
    NotYetValid,
    /// The server did not reply with TLS: the port may expect STARTTLS, or no TLS at all.
    NotTls,
    /// The server does not support TLS 1.2 or newer.
    ProtocolTooOld,
    /// This machine does not trust the issuer of the server's certificate:
    /// [`Config::root_certificates`](crate::Config::root_certificates) adds an issuer.
    UnknownIssuer,
    /// The server's certificate is for another name:
    /// [`Config::tls_server_name`](crate::Config::tls_server_name) sets the expected one.
    WrongName,
    /// The server replied without TLS: the port expects STARTTLS, or the server said goodbye in
    /// plain text.
    InClear,
    /// The server refused TLS before it began: it may be too old.
    Refused,
    /// Another reason, in the words of the TLS library.
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
            None => TlsReason::of(&source.to_string()),
        };
        Self {
            step,
            reason,
            source: Some(source),
            in_clear: in_clear.map(Box::new),
            is_verdict,
            server: None,
        }
    }

    /// The server sent an alert before the handshake could begin.
    pub(crate) fn refused() -> Self {
        Self::because(Step::Handshake, TlsReason::Refused)
    }

    /// TLS failed, for a reason that is known without a TLS library.
    pub(crate) fn because(step: Step, reason: TlsReason) -> Self {
        Self {
            step,
            reason,
            source: None,
            in_clear: None,
            is_verdict: false,
            server: None,
        }
    }

    /// Returns why TLS failed, as far as a user can change it.
    #[must_use]
    pub fn reason(&self) -> TlsReason {
        self.reason
    }

    /// Returns the step of the session: the handshake, or the step in which TLS broke.
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
                "the server wants a client certificate that it trusts: set Config::client_identity",
            ),
            (TlsReason::Expired, ..) => f.write_str(
                "the server's certificate has expired: it must be renewed, unless this machine's clock is wrong",
            ),
            (TlsReason::NotYetValid, ..) => f.write_str(
                "the server's certificate is not valid yet: is this machine's clock wrong?",
            ),
            (TlsReason::NotTls, ..) => f.write_str(
                "the server did not reply with TLS: does this port expect STARTTLS?",
            ),
            (TlsReason::ProtocolTooOld, ..) => f.write_str(
                "the server does not support TLS 1.2 or newer",
            ),
            (TlsReason::UnknownIssuer, ..) => f.write_str(
                "this machine does not trust the issuer of the server's certificate: add the issuer with Config::root_certificates",
            ),
            (TlsReason::WrongName, ..) => f.write_str(
                "the server's certificate is for another name: set Config::tls_server_name to the name that it is for",
            ),
            (TlsReason::Refused, ..) => f.write_str(
                "the server refused TLS: it may support only versions before 1.2",
            ),
            (TlsReason::InClear, Some(reply), _) => {
                write!(f, "the server replied without TLS: {reply}")?;
                f.write_str(if self.step == Step::Handshake && reply.is_positive() {
                    "; does this port expect STARTTLS?"
                } else {
                    ""
                })
            }
            (_, _, Some(source)) => {
                let words = source.to_string();
                write!(f, "{}", Shown(without_places(&words)))?;
                f.write_str(self.hint())
            }
            _ => f.write_str("the reason is unknown"),
        }
    }

    fn hint(&self) -> &'static str {
        if self.is_verdict && !NUMBERS_ARE_TOLD {
            "; does the server want a client certificate?"
        } else {
            ""
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Handshake => match &self.server {
                Some(server) => write!(f, "the TLS handshake with {server} failed: ")?,
                None => f.write_str("the TLS handshake failed: ")?,
            },
            Step::Idle => f.write_str("TLS failed before the next command: ")?,
            step => match &self.server {
                Some(server) => write!(f, "TLS with {server} failed at {step}: ")?,
                None => write!(f, "TLS failed at {step}: ")?,
            },
        }
        self.fmt_reason(f)
    }
}

/// The sentence already has the TLS library's words, where they help.
impl StdError for TlsError {}

/// Words of OpenSSL, SChannel and Security.framework, each with what they mean. The first that fits
/// counts: OpenSSL says "certificate verify failed" in front of every reason.
const MEANINGS: &[(&str, TlsReason)] = &[
    ("not yet valid", TlsReason::NotYetValid),
    ("has expired", TlsReason::Expired),
    ("not within its validity period", TlsReason::Expired),
    ("-2146762495", TlsReason::Expired),
    ("hostname mismatch", TlsReason::WrongName),
    ("host name mismatch", TlsReason::WrongName),
    ("ip address mismatch", TlsReason::WrongName),
    ("principal name is incorrect", TlsReason::WrongName),
    ("cn name does not match", TlsReason::WrongName),
    ("-2146762481", TlsReason::WrongName),
    ("-2146893022", TlsReason::WrongName),
    ("certificate required", TlsReason::ClientCertificate),
    ("wrong version number", TlsReason::NotTls),
    ("packet length too long", TlsReason::NotTls),
    ("unsupported protocol", TlsReason::ProtocolTooOld),
    ("alert protocol version", TlsReason::ProtocolTooOld),
    ("bad protocol version", TlsReason::ProtocolTooOld),
    ("certificate verify failed", TlsReason::UnknownIssuer),
    ("certificate was not trusted", TlsReason::UnknownIssuer),
    (
        "not trusted by the trust provider",
        TlsReason::UnknownIssuer,
    ),
    (
        "issued by an authority that is not trusted",
        TlsReason::UnknownIssuer,
    ),
    ("-2146762487", TlsReason::UnknownIssuer),
    ("-2146893019", TlsReason::UnknownIssuer),
];

impl TlsReason {
    fn of(words: &str) -> Self {
        let words = words.to_ascii_lowercase();
        let meaning = MEANINGS.iter().find(|(part, _)| words.contains(part));
        meaning.map_or(Self::Other, |(_, reason)| *reason)
    }
}

/// OpenSSL's words without its codes, file names and lines: of
/// `error:0A000086:SSL routines:f:certificate verify failed:../ssl/x.c:1889:` the fourth part.
fn without_places(words: &str) -> &str {
    let is_openssl = words.starts_with("error:");
    let reason = words
        .split(':')
        .nth(4)
        .filter(|part| !part.trim().is_empty());
    reason.filter(|_| is_openssl).unwrap_or(words)
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
            "TLS failed at the greeting: the server wants a client certificate that it trusts: set Config::client_identity"
        );
    }

    fn in_the_handshake(words: &str) -> TlsError {
        TlsError::new(Step::Handshake, words.into(), false, None)
    }

    // C8: each reason by the words of the platforms.
    #[test]
    fn reasons() {
        let verify = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889:";
        let openssl = |why: &str| format!("{verify} ({why})");
        let of = |place: &str, what: &str| format!("error:0A00010B:SSL routines:{place}:{what}");
        for (words, reason) in [
            (openssl("hostname mismatch"), TlsReason::WrongName),
            (openssl("IP address mismatch"), TlsReason::WrongName),
            (openssl("certificate has expired"), TlsReason::Expired),
            (
                openssl("certificate is not yet valid"),
                TlsReason::NotYetValid,
            ),
            (openssl("self-signed certificate"), TlsReason::UnknownIssuer),
            (
                openssl("unable to get local issuer certificate"),
                TlsReason::UnknownIssuer,
            ),
            (
                of("ssl3_get_record", "wrong version number:x.c:354:"),
                TlsReason::NotTls,
            ),
            (
                of("ssl_choose_client_version", "unsupported protocol:x.c:1:"),
                TlsReason::ProtocolTooOld,
            ),
            (
                of(
                    "ssl3_read_bytes",
                    "tlsv1 alert protocol version:x.c:1:SSL alert number 70",
                ),
                TlsReason::ProtocolTooOld,
            ),
            (
                of(
                    "ssl3_read_bytes",
                    "tlsv13 alert certificate required:x.c:1:SSL alert number 116",
                ),
                TlsReason::ClientCertificate,
            ),
            (
                "The target principal name is incorrect. (os error -2146893022)".to_owned(),
                TlsReason::WrongName,
            ),
            ("something new".to_owned(), TlsReason::Other),
        ] {
            assert_eq!(in_the_handshake(&words).reason(), reason, "{words}");
        }
    }

    // C8: no file names and line numbers of the TLS library.
    #[test]
    fn no_places_in_the_source_of_a_library() {
        let words = "error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../ssl/record/rec_layer_s3.c:1600:SSL alert number 40";
        assert_eq!(
            in_the_handshake(words).to_string(),
            "the TLS handshake failed: ssl/tls alert handshake failure"
        );
        assert_eq!(
            in_the_handshake("error: x").to_string(),
            "the TLS handshake failed: error: x"
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
