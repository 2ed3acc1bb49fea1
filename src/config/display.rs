//! A [`Config`] as a URL.

use std::fmt::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::auth::credentials::Credentials;
use crate::auth::table::{self, Kind};
use crate::config::options::LONGEST;
use crate::config::url::needs_slash;
use crate::config::{Config, Protocol, Security, Server, Timeouts};
use crate::step::Step;

/// Writes the URL of this configuration, without the password; [`Config`] says what is left out.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_server(f)?;
        let mut separator = '?';
        for (name, value) in self.options() {
            write!(f, "{separator}{name}={value}")?;
            separator = '&';
        }
        Ok(())
    }
}

impl Config {
    fn fmt_server(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = match &self.server {
            Server::Tcp { host, port } => (host, port),
            Server::Place(place) => {
                return write!(f, "{}://{}", place.scheme, WrittenPath(&place.path));
            }
            Server::Unix(socket) => {
                return write!(f, "{}+unix://{}", self.scheme(), WrittenPath(&socket.path));
            }
        };
        let s = match self.security {
            Security::ImplicitTls => "s",
            _ => "",
        };
        write!(f, "{}{s}://", self.scheme())?;
        if let Some(credentials) = self.written_credentials() {
            write!(f, "{}@", Encoded(credentials.user(), NAME))?;
        }
        if host.contains(':') {
            write!(f, "[{}]", Encoded(host, HOST))?;
        } else {
            write!(f, "{}", Encoded(host, HOST))?;
        }
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }

    /// A URL has a user only for a host and with a secret: not for certificates, ANONYMOUS or Unix
    /// sockets.
    fn written_credentials(&self) -> Option<&Credentials> {
        let credentials = self.credentials.as_ref();
        let credentials = credentials.filter(|_| matches!(self.server, Server::Tcp { .. }));
        credentials.filter(|who| matches!(who.kind(), Kind::Bearer | Kind::Password))
    }

    fn scheme(&self) -> &'static str {
        match self.protocol {
            Protocol::Lmtp => "lmtp",
            Protocol::Smtp => "smtp",
        }
    }

    /// The options that differ from the defaults, encoded.
    fn options(&self) -> Vec<(&'static str, String)> {
        let mut options = Vec::new();
        match self.security {
            Security::None if matches!(self.server, Server::Tcp { .. }) => {
                options.push(("tls", "none".to_owned()));
            }
            Security::Opportunistic => options.push(("tls", "opportunistic".to_owned())),
            _ => {}
        }
        self.add_tls_options(&mut options);
        if let Some(names) = self.mechanism_names() {
            options.push(("auth", list(names).to_ascii_lowercase()));
        }
        if !self.ignored.is_empty() {
            options.push(("ignore", list(&self.ignored).to_ascii_lowercase()));
        }
        if let Some(name) = &self.hello_name {
            options.push(("hello", value(name)));
        }
        #[cfg(feature = "local-address")]
        if let Some(address) = &self.local_address {
            options.push(("local", local(address)));
        }
        self.add_budgets(&mut options);
        options
    }

    fn add_tls_options(&self, options: &mut Vec<(&'static str, String)>) {
        let roots = self.tls.root_files().iter();
        let roots: Vec<String> = roots.map(|path| path.to_string_lossy().into()).collect();
        if !roots.is_empty() {
            options.push(("ca", list(&roots)));
        }
        if self.tls.has_only_given_roots() {
            options.push(("roots", "only".to_owned()));
        }
        if let Some((cert, key)) = self.tls.identity_files() {
            options.push(("cert", value(&cert.to_string_lossy())));
            options.push(("key", value(&key.to_string_lossy())));
        }
        if let Some(name) = self.tls.server_name() {
            options.push(("server_name", value(name)));
        }
    }

    /// The chosen mechanisms that fit the credentials. Only they show whether the secret is a
    /// token.
    fn mechanism_names(&self) -> Option<Vec<String>> {
        let is_bearer = |who: &Credentials| who.kind() == Kind::Bearer;
        let kind = match self.written_credentials().is_some_and(is_bearer) {
            true => Kind::Bearer,
            false => Kind::Password,
        };
        let fits = |name: &&String| table::find(name).is_none_or(|row| row.kind == kind);
        let chosen = self.mechanisms.iter().flatten().filter(fits);
        match chosen.cloned().collect::<Vec<_>>() {
            names if !names.is_empty() => Some(names),
            _ if kind == Kind::Bearer => Some(["OAUTHBEARER", "XOAUTH2"].map(str::to_owned).into()),
            _ => None,
        }
    }

    fn add_budgets(&self, options: &mut Vec<(&'static str, String)>) {
        let one = self.timeouts.budget(Step::Command);
        let is_one_shorter = {
            let others = |base: &Timeouts| budgets(&self.timeouts, base).count();
            others(&Timeouts::all(one)) < others(&Timeouts::default())
        };
        let base = if is_one_shorter {
            options.push(("timeout", time(one)));
            Timeouts::all(one)
        } else {
            Timeouts::default()
        };
        let budgets = budgets(&self.timeouts, &base);
        options.extend(budgets.map(|(name, budget)| (name, time(budget))));
        if let Some(deadline) = self.deadline {
            options.push(("deadline", time(deadline)));
        }
    }
}

const BUDGETS: [&str; 8] = [
    "connect_timeout",
    "handshake_timeout",
    "greeting_timeout",
    "command_timeout",
    "data_timeout",
    "body_timeout",
    "end_of_data_timeout",
    "quit_timeout",
];

/// The budgets that are others than those of `base`.
fn budgets(timeouts: &Timeouts, base: &Timeouts) -> impl Iterator<Item = (&'static str, Duration)> {
    let pairs = timeouts.list().into_iter().zip(base.list());
    let named = BUDGETS.into_iter().zip(pairs);
    named.filter_map(|(name, (budget, usual))| (budget != usual).then_some((name, budget)))
}

/// Seconds, or milliseconds if it is not whole seconds. Zero would be an error, so less than a
/// millisecond is written as one.
fn time(budget: Duration) -> String {
    let millis = budget.as_millis().max((!budget.is_zero()).into());
    if millis % 1000 != 0 && millis <= LONGEST {
        format!("{millis}ms")
    } else {
        (millis / 1000).min(LONGEST).to_string()
    }
}

#[cfg(feature = "local-address")]
fn local(address: &std::net::SocketAddr) -> String {
    match address.port() {
        0 => value(&address.ip().to_string()),
        _ => value(&address.to_string()),
    }
}

/// Values with commas between them.
fn list<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    let values = values.into_iter();
    let encoded: Vec<String> = values.map(|value| self::value(value.as_ref())).collect();
    encoded.join(",")
}

fn value(text: &str) -> String {
    Encoded(text, PATH).to_string()
}

/// A path with something in front that no host begins with.
pub(super) struct WrittenPath<'a>(pub(super) &'a Path);

impl fmt::Display for WrittenPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.to_string_lossy();
        let start = match &*path {
            path if path.starts_with(['/', '.']) => "",
            path if needs_slash(path) => "/",
            _ => "./",
        };
        write!(f, "{start}{}", Encoded(&path, PATH))
    }
}

/// Unreserved characters besides letters and digits (RFC 3986, 2.3).
const NAME: &[u8] = b"-._~";
pub(super) const HOST: &[u8] = b"-._~:";
const PATH: &[u8] = b"-._~:/[]";

/// Percent-encodes all but letters, digits and these bytes (RFC 3986, 2.1).
pub(super) struct Encoded<'a>(pub(super) &'a str, pub(super) &'static [u8]);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.0.bytes() {
            if octet.is_ascii_alphanumeric() || self.1.contains(&octet) {
                f.write_char(octet.into())?;
            } else {
                write!(f, "%{octet:02X}")?;
            }
        }
        Ok(())
    }
}
