//! [`Inadmissible`]: why a message cannot be given to this server.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use crate::address::Address;
use crate::command_error::CommandError;
use crate::endpoint::{Endpoint, ServerName};
use crate::parameter::Parameter;
use crate::reply::Escaped;

/// Why a message cannot be given to this server; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inadmissible {
    Command(CommandError),
    Content(ContentError),
    TooLarge { size: u64, limit: u64 },
    Unsupported(Unsupported),
}

impl From<CommandError> for Inadmissible {
    fn from(source: CommandError) -> Self {
        Self::Command(source)
    }
}

impl From<ContentError> for Inadmissible {
    fn from(source: ContentError) -> Self {
        Self::Content(source)
    }
}

impl From<Unsupported> for Inadmissible {
    fn from(source: Unsupported) -> Self {
        Self::Unsupported(source)
    }
}

/// Why SMTP cannot carry a message unchanged.
///
/// ```
/// use smtplib::error::ContentError;
/// use smtplib::{Error, Mailer};
///
/// let (mailer, _outbox) = Mailer::outbox();
/// let result = mailer.sendmail("a@example.com", "b@example.org", "Subject: Hi\n\n\0\n");
/// assert!(matches!(result, Err(Error::Content(ContentError::Nul))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentError {
    /// The header has letters outside ASCII, and MAIL went without the parameter SMTPUTF8 (RFC 6531,
    /// 3.4).
    HeaderNotAscii,
    /// The header has bytes above 127 that are not UTF-8 (RFC 6532, 3.1).
    HeaderNotUtf8,
    /// A line has more than 998 bytes (RFC 5321, 4.5.3.1.6).
    LineTooLong,
    /// The message has a NUL (RFC 5321, 4.5.2 allows text only).
    Nul,
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeaderNotAscii => {
                "the header has letters outside ASCII and MAIL went without the parameter SMTPUTF8: give it, or encode them (RFC 2047)"
            }
            Self::HeaderNotUtf8 => {
                "the header has bytes above 127 that are not UTF-8: write it in UTF-8, or encode them (RFC 2047)"
            }
            Self::LineTooLong => {
                "the message has a line of more than 998 bytes: encode it as quoted-printable or base64"
            }
            Self::Nul => "the message has a NUL in it: encode that part as base64",
        })
    }
}

impl StdError for ContentError {}

/// The extension or feature that the server lacks.
///
/// ```
/// use smtplib::error::Unsupported;
/// use smtplib::{Error, Mailer, Outbox};
///
/// let outbox = Outbox::new();
/// outbox.offer(["PIPELINING"]);
/// let mailer = Mailer::new(outbox.config());
/// let result = mailer.sendmail("a@example.com", "b@example.org", "Subject: Hi\n\nGrüße\n");
/// assert!(matches!(result, Err(Error::Unsupported(Unsupported::EightBit))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// The message has bytes above 127, and the server does not offer 8BITMIME (RFC 6152).
    EightBit,
    /// The server does not offer AUTH (RFC 4954), so logging in is impossible.
    #[non_exhaustive]
    Auth {
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The connection has no TLS, and without it the server offers no AUTH.
    #[non_exhaustive]
    AuthWithoutTls {
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The configuration's mechanisms exclude every mechanism that server and credentials share.
    #[non_exhaustive]
    Excluded {
        /// The excluded mechanisms, separated by spaces.
        mechanisms: Box<str>,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server does not offer the extension with this keyword.
    Extension(Cow<'static, str>),
    /// The server does not offer STARTTLS (RFC 3207), which was asked for.
    #[non_exhaustive]
    StartTls {
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// TLS is on already, and was asked for a second time.
    TlsIsOn,
    /// The message's header has letters outside ASCII, and the server does not offer SMTPUTF8 (RFC
    /// 6531).
    Header,
    /// The parameter is beyond the limits of the server's extension.
    #[non_exhaustive]
    Limit {
        /// The parameter.
        parameter: Box<Parameter>,
        /// What the server takes.
        limit: Box<str>,
    },
    /// None of the SASL mechanisms that the server offers can carry the credentials.
    #[non_exhaustive]
    Mechanism {
        /// The mechanisms that the server offers, separated by spaces.
        offered: Box<str>,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The address has letters outside ASCII, and the server does not offer SMTPUTF8 (RFC 6531).
    Utf8Address(Box<Address>),
    /// An address in a header field has letters outside ASCII, and the server does not offer
    /// SMTPUTF8 (RFC 6531).
    #[non_exhaustive]
    Utf8Header {
        /// The name of the field.
        field: Box<str>,
        /// The address.
        address: Box<Address>,
    },
    /// REQUIRETLS was asked for (RFC 8689), and this connection has no TLS or does not verify
    /// certificates.
    VerifiedTls,
}

impl Unsupported {
    /// None of these mechanisms fits the credentials.
    pub(crate) fn mechanism(offered: &str) -> Self {
        Self::Mechanism {
            offered: offered.into(),
            server: None,
        }
    }

    /// The configuration excludes these mechanisms.
    pub(crate) fn excluded(mechanisms: &str) -> Self {
        Self::Excluded {
            mechanisms: mechanisms.into(),
            server: None,
        }
    }

    /// The server, if the error happened while connecting.
    pub(crate) fn server(&self) -> Option<&Endpoint> {
        match self {
            Self::Auth { server }
            | Self::AuthWithoutTls { server }
            | Self::Excluded { server, .. }
            | Self::Mechanism { server, .. }
            | Self::StartTls { server } => server.as_deref(),
            _ => None,
        }
    }

    /// The place for the server's name, in the variants that can occur while connecting.
    pub(crate) fn server_mut(&mut self) -> Option<&mut Option<Box<Endpoint>>> {
        match self {
            Self::Auth { server }
            | Self::AuthWithoutTls { server }
            | Self::Excluded { server, .. }
            | Self::Mechanism { server, .. }
            | Self::StartTls { server } => Some(server),
            _ => None,
        }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EightBit => f.write_str(
                "the message has bytes above 127 and the server does not offer 8BITMIME: encode it as quoted-printable or base64",
            ),
            Self::Auth { server } => write!(f, "{} does not offer AUTH: use another port or server, or no credentials", ServerName(server)),
            Self::AuthWithoutTls { server } => {
                write!(f, "{} does not offer AUTH without TLS: use implicit TLS or another port", ServerName(server))
            }
            Self::Excluded { mechanisms, server } => write!(
                f,
                "the configuration's mechanisms exclude those that {} offers for these credentials ({mechanisms}): allow one of them",
                ServerName(server)
            ),
            Self::Extension(keyword) => write!(f, "the server does not offer {keyword}"),
            Self::StartTls { server: None } => f.write_str("the server does not offer STARTTLS"),
            Self::StartTls { server } => write!(
                f,
                "{} does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)",
                ServerName(server)
            ),
            Self::TlsIsOn => f.write_str("TLS is already on"),
            Self::Header => f.write_str(
                "the header has letters outside ASCII and the server does not offer SMTPUTF8: encode them (RFC 2047)",
            ),
            Self::Limit { parameter, limit } => write!(
                f,
                "the server does not take {parameter}, but {}",
                Escaped(limit)
            ),
            Self::Mechanism { offered, server } if offered.is_empty() => {
                write!(f, "{} offers no login mechanism: use another port or server", ServerName(server))
            }
            Self::Mechanism { offered, server } => write!(
                f,
                "none of the mechanisms that {} offers ({}) fits the credentials: check the credentials, `mechanisms` and the features of this crate",
                ServerName(server),
                Escaped(offered)
            ),
            Self::Utf8Address(address) => fmt_utf8(address, f),
            Self::Utf8Header { field, address } => {
                write!(f, "{}: ", Escaped(field))?;
                fmt_utf8(address, f)
            }
            Self::VerifiedTls => f.write_str(
                "REQUIRETLS needs TLS with a verified certificate, and this connection has none",
            ),
        }
    }
}

/// Writes what is missing for an address, and what to do instead if there is a way.
fn fmt_utf8(address: &Address, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "the server does not offer SMTPUTF8, which <{address}> needs"
    )?;
    if !address.local_part().is_ascii() {
        Ok(())
    } else if cfg!(feature = "idna") {
        f.write_str(", and the domain has no ASCII form: is it misspelt?")
    } else {
        f.write_str(
            ": write the domain in its ASCII form (xn--…), or turn on the feature `idna`, which converts it",
        )
    }
}

impl StdError for Unsupported {}
