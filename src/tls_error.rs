//! [`TlsError`]: why TLS could not be set up, in terms of what to do about it.

use std::error::Error as StdError;
use std::fmt;

use crate::endpoint::{Endpoint, ServerName};
use crate::reply::Shown;

/// Why TLS could not be set up; [`reason`](Self::reason) says what can be done about it.
///
/// ```no_run
/// use smtplib::{Config, Error, TlsReason};
///
/// match Config::new("mail.example.com").connect() {
///     Err(Error::Tls(failure)) if failure.reason() == TlsReason::WrongName => {
///         println!("the certificate is not for {}", failure.name());
///     }
///     _ => {}
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    reason: TlsReason,
    name: Box<str>,
    detail: Box<str>,
    pub(crate) server: Option<Box<Endpoint>>,
}

/// What is wrong, as far as the platform's TLS tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsReason {
    /// The server wants a certificate of the client: give it one with
    /// [`Config::client_identity`](crate::Config::client_identity).
    ClientCertificate,
    /// The server's certificate has expired, unless this machine's clock is wrong.
    Expired,
    /// The server's certificate is not valid yet, unless this machine's clock is wrong.
    NotYetValid,
    /// The server did not answer with TLS: the port may want STARTTLS, or no TLS at all.
    NotTls,
    /// Something else; [`TlsError::detail`] has the words of the TLS library.
    Other,
    /// The server knows neither TLS 1.2 nor anything newer.
    ProtocolTooOld,
    /// Nobody whom this machine trusts has issued the server's certificate:
    /// [`Config::root_certificates`](crate::Config::root_certificates) adds an issuer.
    UnknownIssuer,
    /// The server's certificate is for another name:
    /// [`Config::tls_server_name`](crate::Config::tls_server_name) sets the expected one.
    WrongName,
}

impl TlsError {
    /// The error of a handshake, from the words of the TLS library.
    pub(crate) fn new(words: &str, name: &str) -> Self {
        let reason = TlsReason::of(words);
        Self::because(reason, without_places(words), name)
    }

    /// An error whose reason is known.
    pub(crate) fn because(reason: TlsReason, detail: &str, name: &str) -> Self {
        Self {
            reason,
            name: name.into(),
            detail: detail.trim().into(),
            server: None,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> TlsReason {
        self.reason
    }

    /// The name that the server's certificate had to have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words of the TLS library, which differ from platform to platform.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = ServerName(&self.server);
        write!(f, "the TLS handshake with {server} failed: ")?;
        match self.reason {
            TlsReason::ClientCertificate => f.write_str(
                "the server wants a certificate from this side: set Config::client_identity",
            ),
            TlsReason::Expired => f.write_str(
                "the server's certificate has expired: it must be renewed, unless this machine's clock is wrong",
            ),
            TlsReason::NotYetValid => f.write_str(
                "the server's certificate is not valid yet: is this machine's clock wrong?",
            ),
            TlsReason::NotTls => f.write_str(
                "the server did not answer with TLS: does this port expect STARTTLS?",
            ),
            TlsReason::Other => Shown(&self.detail).fmt(f),
            TlsReason::ProtocolTooOld => f.write_str(
                "the server is too old: it knows no TLS of version 1.2 or newer",
            ),
            TlsReason::UnknownIssuer => f.write_str(
                "nobody whom this machine trusts has issued the server's certificate: add the issuer with Config::root_certificates",
            ),
            TlsReason::WrongName => write!(
                f,
                "the server's certificate is not for {}: set Config::tls_server_name to the name that it is for",
                Shown(&self.name)
            ),
        }
    }
}

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
        let words = words.to_lowercase();
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

#[cfg(test)]
mod tests {
    use super::*;

    // Field C8: each reason by the words of the platforms.
    #[test]
    fn reasons() {
        let verify = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889:";
        let openssl = |why: &str| format!("{verify} ({why})");
        for (words, reason) in [
            (openssl("hostname mismatch"), TlsReason::WrongName),
            (openssl("IP address mismatch"), TlsReason::WrongName),
            (openssl("certificate has expired"), TlsReason::Expired),
            (openssl("certificate is not yet valid"), TlsReason::NotYetValid),
            (openssl("self-signed certificate"), TlsReason::UnknownIssuer),
            (openssl("unable to get local issuer certificate"), TlsReason::UnknownIssuer),
            ("error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:".to_owned(), TlsReason::NotTls),
            ("error:0A000102:SSL routines:ssl_choose_client_version:unsupported protocol:../ssl/statem/statem_lib.c:1957:".to_owned(), TlsReason::ProtocolTooOld),
            ("error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:1600:SSL alert number 70".to_owned(), TlsReason::ProtocolTooOld),
            ("error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../ssl/record/rec_layer_s3.c:1600:SSL alert number 116".to_owned(), TlsReason::ClientCertificate),
            ("The target principal name is incorrect. (os error -2146893022)".to_owned(), TlsReason::WrongName),
            ("something new".to_owned(), TlsReason::Other),
        ] {
            assert_eq!(TlsError::new(&words, "mx").reason(), reason, "{words}");
        }
    }

    // Field C8: no file names and line numbers of the TLS library.
    #[test]
    fn no_places_in_the_source_of_a_library() {
        let words = "error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../ssl/record/rec_layer_s3.c:1600:SSL alert number 40";
        let error = TlsError::new(words, "mx");
        assert_eq!(error.detail(), "ssl/tls alert handshake failure");
        assert_eq!(
            error.to_string(),
            "the TLS handshake with the server failed: ssl/tls alert handshake failure"
        );
        assert_eq!(TlsError::new("error: x", "mx").detail(), "error: x");
    }
}
