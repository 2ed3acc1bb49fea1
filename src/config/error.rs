//! [`ConfigError`]: why a configuration cannot work.

use std::error::Error as StdError;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use crate::auth::table;
use crate::reply::Shown;

/// Why a configuration cannot work. No message repeats a part of the URL that could hold a
/// password.
///
/// ```
/// use smtplib::Config;
///
/// let error = "smtp://mail.example.com?timeot=30".parse::<Config>().unwrap_err();
/// assert_eq!(error.to_string(), "there is no option \"timeot\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A certificate is not PEM.
    Certificate,
    /// A TLS connector was given together with certificates, an identity or `danger_` switches.
    Connector,
    /// An option needs this feature of the crate.
    Feature(&'static str),
    /// A file cannot be read, or is not PEM (`InvalidData`).
    #[non_exhaustive]
    File {
        /// The path of the file.
        path: Box<Path>,
        /// The cause.
        kind: ErrorKind,
    },
    /// The host is missing, or has a character that hosts cannot have, such as the colon before a
    /// port.
    Host,
    /// The client's certificate or key is not PEM, or they do not belong together.
    Identity,
    /// The library does not know a SASL mechanism of this name, or was built without it.
    Mechanism(Box<str>),
    /// Only the given root certificates are trusted, but none was given.
    NoRoots,
    /// This setting is for servers, and the configuration is for a Maildir or a program.
    NoServer(&'static str),
    /// An option of a URL or a table is unknown.
    UnknownOption(Box<str>),
    /// The port is not a number from 1 to 65535.
    Port,
    /// A percent sign is not followed by two hexadecimal digits, or the result is not UTF-8.
    Percent,
    /// There is an `@` after the URL's question mark. Probably the password has a question mark
    /// that is not encoded.
    QuestionMark,
    /// The URL's scheme is unknown.
    Scheme,
    /// The platform's TLS cannot be set up; the text is the platform's.
    Tls(Box<str>),
    /// TLS was asked for on a Unix socket.
    TlsOnUnixSocket,
    /// An option is given twice.
    Twice(Box<str>),
    /// A table has a password but no user.
    User,
    /// The value of an option cannot be understood.
    Value(Box<str>),
    /// An environment variable that should hold a URL is not set.
    Variable(Box<str>),
    /// A time limit is zero.
    ZeroTimeout,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str("the root certificates cannot be read: PEM is needed"),
            Self::Connector => f.write_str(
                "your TLS connector brings its own certificates and switches: give them to the connector, or leave it out",
            ),
            Self::Feature(name) => write!(f, "an option needs the feature {name} of this library"),
            Self::File { path, kind: ErrorKind::InvalidData } => {
                write!(f, "the file {} is not PEM", Shown(&path.to_string_lossy()))
            }
            Self::File { path, kind } => {
                write!(f, "the file {} cannot be read: {kind}", Shown(&path.to_string_lossy()))
            }
            Self::Host => f.write_str(
                "the host must be a name or an address, without a port, brackets or other stray characters",
            ),
            Self::Identity => f.write_str(
                "the client's certificate and key cannot be used: PEM and PKCS #8 are needed, and they must match",
            ),
            Self::Mechanism(name) => fmt_mechanism(name, f),
            Self::NoRoots => f.write_str(
                "no server can be trusted: give root certificates, or trust the system's, too",
            ),
            Self::NoServer(option) => write!(
                f,
                "a Maildir or a program is not a server: leave out {option}"
            ),
            Self::UnknownOption(name) => write!(f, "there is no option {name:?}"),
            Self::Port => f.write_str("the port is not a number from 1 to 65535"),
            Self::Percent => f.write_str(
                "the URL has a percent sign without two hexadecimal digits: write %25 for a percent sign",
            ),
            Self::QuestionMark => f.write_str(
                "the URL has an @ after a question mark: write %3F for a question mark in a password",
            ),
            Self::Scheme => f.write_str(
                "the URL must begin with smtp://, smtps://, lmtp://, lmtps://, smtp+unix://, lmtp+unix://, maildir:// or sendmail://",
            ),
            Self::Tls(words) => write!(f, "TLS cannot be set up: {}", Shown(words)),
            Self::TlsOnUnixSocket => f.write_str("a Unix socket has no TLS: use Security::None"),
            Self::Twice(name) => write!(f, "the option {name:?} is given twice"),
            Self::User => f.write_str("there is a password but no user"),
            Self::Value(name) => write!(f, "the option {name:?} must be {}", allowed(name)),
            Self::Variable(name) => write!(
                f,
                "the environment variable {name} is not set: give it a URL such as smtp://user:password@mail.example.com"
            ),
            Self::ZeroTimeout => f.write_str("a timeout cannot be zero"),
        }
    }
}

fn fmt_mechanism(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match table::missing_feature(name) {
        Some(feature) => write!(
            f,
            "the mechanism {name} needs the crate's feature {feature}"
        ),
        None => write!(
            f,
            "the library has no mechanism {name:?}: implement Mechanism and call authenticate"
        ),
    }
}

/// What the option of a URL may be.
fn allowed(name: &str) -> &'static str {
    match name {
        "auth" => {
            "one or more mechanisms with commas, such as plain,login for a password or oauthbearer,xoauth2 for a token"
        }
        "ca" => "the path of a PEM file, or several with commas",
        "cert" | "key" => "the path of a PEM file, and a key needs its cert",
        "hello" => "a host name, or an address in brackets",
        "ignore" => "keywords of EHLO with commas, such as pipelining,8bitmime",
        "local" => "an IP address, perhaps with a port",
        "path" => "a path, without a host and a port",
        "roots" => "only, or system",
        "server_name" => "a host name",
        "tls" => "required, opportunistic or none; leave it out with smtps://",
        _ => "a time such as 30 (seconds) or 500ms, up to 99999999 and not 0",
    }
}

impl StdError for ConfigError {}
