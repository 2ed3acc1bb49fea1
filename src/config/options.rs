//! [`Options`]: the options of a URL after its question mark, or of a table in a configuration file.

use std::path::PathBuf;
use std::time::Duration;

use crate::auth::table::{self, Kind};
use crate::capabilities::is_keyword;
use crate::config::{Config, ConfigError, Security, Timeouts};
use crate::protocol::command::HelloName;

/// Options by name, each with its values: those that commas separate.
#[derive(Debug, Default)]
pub(crate) struct Options(Vec<(Box<str>, Vec<String>)>);

impl Options {
    /// Adds an option; an option that is given twice would have two meanings.
    pub(crate) fn add(&mut self, name: &str, values: Vec<String>) -> Result<(), ConfigError> {
        if self.0.iter().any(|(other, _)| **other == *name) {
            return Err(ConfigError::Twice(name.into()));
        }
        self.0.push((name.into(), values));
        Ok(())
    }

    /// Sets everything. The order does not matter: a step's own timeout takes precedence over
    /// `timeout`.
    pub(crate) fn apply(mut self, mut config: Config) -> Result<Config, ConfigError> {
        let key = self.take("key");
        let cert = self.take("cert");
        if let Some(budget) = self.take("timeout") {
            config = with_timeout(config, "timeout", "", &one("timeout", budget)?)?;
        }
        for (name, values) in self.0 {
            config = with_option(config, &name, values)?;
        }
        with_identity(config, cert, key)
    }

    /// Takes an option out whose commas belong to it.
    #[cfg(feature = "serde")]
    pub(crate) fn take_one(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|values| values.join(","))
    }

    fn take(&mut self, name: &str) -> Option<Vec<String>> {
        let at = self.0.iter().position(|(other, _)| **other == *name)?;
        Some(self.0.swap_remove(at).1)
    }
}

fn bad(name: &str) -> ConfigError {
    ConfigError::Value(name.into())
}

/// The only value of an option; a comma belongs to it.
fn one(name: &str, values: Vec<String>) -> Result<String, ConfigError> {
    let value = values.join(",");
    if value.is_empty() || value.contains(char::is_control) {
        Err(bad(name))
    } else {
        Ok(value)
    }
}

fn with_option(config: Config, name: &str, values: Vec<String>) -> Result<Config, ConfigError> {
    if let Some(step) = name.strip_suffix("timeout") {
        return with_timeout(config, name, step, &values.join(","));
    }
    match name {
        "auth" => with_mechanisms(config, &values).ok_or_else(|| bad(name)),
        "ca" => with_roots(config, values),
        "deadline" => {
            let budget = duration(&values.join(","));
            Ok(config.deadline(budget.ok_or_else(|| bad(name))?))
        }
        "hello" => with_hello(config, values),
        "ignore" if values.iter().all(|keyword| is_keyword(keyword)) => Ok(config.ignore(values)),
        "local" => with_local(config, &one(name, values)?),
        "roots" => match one(name, values)?.as_str() {
            "only" => Ok(config.only_given_roots(true)),
            "system" => Ok(config.only_given_roots(false)),
            _ => Err(bad(name)),
        },
        "server_name" => Ok(config.tls_server_name(one(name, values)?)),
        "tls" if config.security != Security::ImplicitTls => {
            let security = security(&values.join(",")).ok_or_else(|| bad(name))?;
            Ok(config.security(security))
        }
        "ignore" | "tls" => Err(bad(name)),
        _ => Err(ConfigError::UnknownOption(name.into())),
    }
}

/// A bearer mechanism means that the password of the URL is a token.
fn with_mechanisms(mut config: Config, values: &[String]) -> Option<Config> {
    let names: Vec<String> = values
        .iter()
        .map(|name| name.to_ascii_uppercase())
        .collect();
    // A URL has a user and a secret: EXTERNAL and ANONYMOUS have no place in it.
    let kind = |name: &String| table::find(name).map(|row| row.kind);
    let kinds: Option<Vec<Kind>> = names.iter().map(kind).collect();
    let kinds = kinds.filter(|kinds| {
        let has_secret = |kind: &Kind| matches!(kind, Kind::Bearer | Kind::Password);
        kinds.iter().all(has_secret)
    })?;
    let bearers = kinds.iter().filter(|kind| **kind == Kind::Bearer).count();
    if bearers > 0 {
        let credentials = config
            .credentials
            .take()
            .filter(|_| bearers == names.len())?;
        config.credentials = Some(credentials.into_bearer());
    }
    Some(config.mechanisms(names))
}

fn with_roots(config: Config, paths: Vec<String>) -> Result<Config, ConfigError> {
    if paths.iter().any(|path| !is_path(path)) {
        return Err(bad("ca"));
    }
    let add = |config: Config, path| config.root_certificate_file(PathBuf::from(path));
    Ok(paths.into_iter().fold(config, add))
}

/// One file can hold both.
fn with_identity(
    config: Config,
    cert: Option<Vec<String>>,
    key: Option<Vec<String>>,
) -> Result<Config, ConfigError> {
    let Some(cert) = cert else {
        return key.map_or(Ok(config), |_| Err(bad("key")));
    };
    let cert = one("cert", cert)?;
    let key = key.map_or_else(|| Ok(cert.clone()), |key| one("key", key))?;
    Ok(config.client_identity_files(cert, key))
}

fn with_hello(config: Config, values: Vec<String>) -> Result<Config, ConfigError> {
    let name = one("hello", values)?;
    if name.parse::<HelloName>().is_err() {
        return Err(bad("hello"));
    }
    Ok(config.hello_name(name))
}

#[cfg(feature = "local-address")]
fn with_local(config: Config, value: &str) -> Result<Config, ConfigError> {
    use std::net::{IpAddr, SocketAddr};

    let address = value.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
    let address = address.or_else(|_| value.parse::<SocketAddr>());
    Ok(config.local_address(address.map_err(|_| bad("local"))?))
}

#[cfg(not(feature = "local-address"))]
fn with_local(_config: Config, _value: &str) -> Result<Config, ConfigError> {
    Err(ConfigError::Feature("local-address"))
}

fn with_timeout(
    mut config: Config,
    name: &str,
    step: &str,
    value: &str,
) -> Result<Config, ConfigError> {
    let budget = duration(value).ok_or_else(|| bad(name))?;
    let timeouts = config.timeouts.clone();
    config.timeouts = match step {
        "" => Timeouts::all(budget),
        "connect_" => timeouts.connect(budget),
        "handshake_" => timeouts.handshake(budget),
        "greeting_" => timeouts.greeting(budget),
        "command_" => timeouts.command(budget),
        "data_" => timeouts.data(budget),
        "body_" => timeouts.body(budget),
        "end_of_data_" => timeouts.end_of_data(budget),
        "quit_" => timeouts.quit(budget),
        _ => return Err(ConfigError::UnknownOption(name.into())),
    };
    Ok(config)
}

fn security(value: &str) -> Option<Security> {
    match value {
        "none" => Some(Security::None),
        "opportunistic" => Some(Security::Opportunistic),
        "required" => Some(Security::StartTls),
        _ => None,
    }
}

/// Seconds, or milliseconds with `ms` behind them.
fn duration(value: &str) -> Option<Duration> {
    let (digits, unit): (_, fn(u64) -> Duration) = match value.strip_suffix("ms") {
        Some(digits) => (digits, Duration::from_millis),
        None => (
            value.strip_suffix('s').unwrap_or(value),
            Duration::from_secs,
        ),
    };
    let is_number = digits.bytes().all(|octet| octet.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    let is_time = (1..=LONGEST).contains(&number.into());
    is_time.then(|| unit(number))
}

/// The largest number of a time: three years of seconds, so that no sum overflows a clock.
pub(crate) const LONGEST: u128 = 99_999_999;

fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}
