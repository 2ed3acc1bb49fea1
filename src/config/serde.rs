//! A [`Config`] in a configuration file: a URL, or a table with the same names.

use std::fmt;
use std::path::Path;

use serde_core::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_core::ser::{Serialize, Serializer};

use crate::auth::credentials::Credentials;
use crate::config::display::{Encoded, HOST, WrittenPath};
use crate::config::options::Options;
use crate::config::url::with_server;
use crate::config::{Config, ConfigError};

/// Writes the URL, without the password.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a URL or a table.
///
/// A table has `host` and `port`, or else the `path` of a Unix socket, a Maildir or a program. The
/// default of `scheme` is `smtp`, or `lmtp+unix` with a path. It can also have `user`, `password`,
/// and every option of a URL. A list is an array, or a text with commas.
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = Config;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the URL of a mail server, or a table with host, port, user and so on")
    }

    fn visit_str<E: de::Error>(self, url: &str) -> Result<Config, E> {
        url.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Config, A::Error> {
        let mut options = Options::default();
        while let Some((name, values)) = table.next_entry::<String, Values>()? {
            options.add(&name, values.0).map_err(de::Error::custom)?;
        }
        from_table(options).map_err(de::Error::custom)
    }
}

fn from_table(mut options: Options) -> Result<Config, ConfigError> {
    let path = options.take_one("path");
    let usual = if path.is_some() { "lmtp+unix" } else { "smtp" };
    let scheme = options.take_one("scheme");
    let host = options.take_one("host");
    let port = options.take_one("port");
    if path.is_some() && (host.is_some() || port.is_some()) {
        return Err(ConfigError::Value("path".into()));
    }
    let host = host.unwrap_or_default();
    let server = match path.as_deref() {
        Some("") => return Err(ConfigError::Value("path".into())),
        Some(path) => WrittenPath(Path::new(path)).to_string(),
        None if host.contains(':') => format!("[{}]", Encoded(&host, HOST)),
        None => Encoded(&host, HOST).to_string(),
    };
    let mut config = with_server(scheme.as_deref().unwrap_or(usual), &server)?;
    if let Some(port) = port {
        let number = port.parse().ok().filter(|number| *number > 0);
        config = config.port(number.ok_or(ConfigError::Port)?);
    }
    let password = options.take_one("password").unwrap_or_default();
    match options.take_one("user") {
        Some(user) => config = config.credentials(Credentials::password(user, password)),
        None if password.is_empty() => {}
        None => return Err(ConfigError::User),
    }
    let config = options.apply(config)?;
    config.check_values()?;
    Ok(config)
}

/// The values of one name.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

struct ValuesVisitor;

/// Refuses values without showing them, as serde's own errors do: one may be a password that lacks
/// its quotes.
macro_rules! refuse {
    ($($visit:ident($value:ty): $what:literal,)*) => {$(
        fn $visit<E: de::Error>(self, _value: $value) -> Result<Self::Value, E> {
            Err(E::invalid_type(Unexpected::Other($what), &self))
        }
    )*};
}

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, or an array of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values(text.split(',').map(str::to_owned).collect()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Values, E> {
        Ok(Values(vec![number.to_string()]))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Values, E> {
        Ok(Values(vec![number.to_string()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(Text(text)) = texts.next_element()? {
            values.push(text);
        }
        Ok(Values(values))
    }

    refuse! {
        visit_bool(bool): "a boolean",
        visit_f64(f64): "a number with a fraction",
        visit_i128(i128): "a number of 128 bits",
        visit_u128(u128): "a number of 128 bits",
    }
}

/// An element of an array.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for a text, a format makes its own error, which shows what it has instead.
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    refuse! {
        visit_bool(bool): "a boolean",
        visit_f64(f64): "a number",
        visit_i64(i64): "a number",
        visit_u64(u64): "a number",
        visit_i128(i128): "a number",
        visit_u128(u128): "a number",
    }
}
