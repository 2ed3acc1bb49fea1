//! [`Parameter`]: an option of MAIL or RCPT.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::address::try_from_text;
use crate::capabilities::is_keyword;
use crate::command_error::CommandError;

/// A parameter of MAIL or RCPT, such as `RET=HDRS` or `NOTIFY=NEVER` (RFC 5321, 4.1.2).
///
/// It is sent only to a server that offers the extension it belongs to.
///
/// ```
/// use smtplib::protocol::Parameter;
///
/// let parameter: Parameter = "NOTIFY=SUCCESS,DELAY".parse()?;
/// assert_eq!(parameter.keyword(), "NOTIFY");
/// assert!("RET=HDRS\r\nDATA".parse::<Parameter>().is_err());
/// # Ok::<(), smtplib::error::CommandError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    keyword: Cow<'static, str>,
    value: Option<Cow<'static, str>>,
    /// The extension, if the caller has named it.
    extension: Option<Box<str>>,
}

/// The command that a parameter goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Mail,
    Rcpt,
}

/// A parameter that the library knows.
struct Known {
    keyword: &'static str,
    /// The extension that a server must offer.
    extension: &'static str,
    at: At,
    /// How many octets the parameter adds to the limit of the command line.
    allowance: usize,
}

const fn known(keyword: &'static str, extension: &'static str, at: At, allowance: usize) -> Known {
    Known {
        keyword,
        extension,
        at,
        allowance,
    }
}

pub(crate) const BODY_ALLOWANCE: usize = 17;
pub(crate) const SIZE_ALLOWANCE: usize = 26;
pub(crate) const SMTPUTF8_ALLOWANCE: usize = 10;

/// All parameters that the library knows. Any other parameter belongs to the extension of the same
/// name, unless the caller names another extension.
const KNOWN: [Known; 14] = [
    known("AUTH", "AUTH", At::Mail, 500), // RFC 4954, 5
    known("BODY", "8BITMIME", At::Mail, BODY_ALLOWANCE), // RFC 6152, 2
    known("BY", "DELIVERBY", At::Mail, 17), // RFC 2852, 4
    known("ENVID", "DSN", At::Mail, 107), // RFC 3461, 4.4
    known("HOLDFOR", "FUTURERELEASE", At::Mail, 34), // RFC 4865, 4
    known("HOLDUNTIL", "FUTURERELEASE", At::Mail, 34), // RFC 4865, 4
    known("MT-PRIORITY", "MT-PRIORITY", At::Mail, 15), // RFC 6710, 3
    known("NOTIFY", "DSN", At::Rcpt, 28), // RFC 3461, 4.1
    known("ORCPT", "DSN", At::Rcpt, 500), // RFC 3461, 4.2
    known("REQUIRETLS", "REQUIRETLS", At::Mail, 11), // RFC 8689, 2
    known("RET", "DSN", At::Mail, 8),     // RFC 3461, 4.3
    known("SIZE", "SIZE", At::Mail, SIZE_ALLOWANCE), // RFC 1870, 3
    known("SMTPUTF8", "SMTPUTF8", At::Mail, SMTPUTF8_ALLOWANCE), // RFC 6531, 3.1
    known("SOLICIT", "NO-SOLICITING", At::Mail, 1007), // RFC 3865, 3
];

/// Adds parameters to a list, each once, in their order. There may be one for each recipient.
pub(crate) fn add_each_once(list: &mut Vec<Parameter>, more: impl IntoIterator<Item = Parameter>) {
    let mut seen: BTreeSet<String> = list.iter().map(ToString::to_string).collect();
    let is_new = |parameter: &Parameter| seen.insert(parameter.to_string());
    list.extend(more.into_iter().filter(is_new));
}

impl Parameter {
    /// Makes a parameter from its keyword and, if it has one, its value.
    ///
    /// # Errors
    ///
    /// [`CommandError::Parameter`] if the keyword or the value is not valid. The value must be
    /// printable ASCII without spaces and `=`. Encode it first if the extension requires xtext (RFC
    /// 3461, 4).
    pub fn new(keyword: &str, value: Option<&str>) -> Result<Self, CommandError> {
        // The grammar allows no `=` in a value (RFC 5321, 4.1.2). The encodings of later extensions
        // avoid it, too.
        let is_value = |value: &str| {
            !value.is_empty() && value.bytes().all(|o| o.is_ascii_graphic() && o != b'=')
        };
        if !is_keyword(keyword) || !value.is_none_or(is_value) {
            return Err(CommandError::Parameter);
        }
        let keyword = keyword.to_ascii_uppercase();
        let value = value.map(|value| match keyword.as_str() {
            // Its values are keywords, too (RFC 6152, 2).
            "BODY" => value.to_ascii_uppercase().into(),
            _ => value.to_owned().into(),
        });
        Ok(Self {
            keyword: keyword.into(),
            value,
            extension: None,
        })
    }

    /// Returns the parameter as part of the extension with this keyword.
    ///
    /// You need this only if the library does not know the parameter and its extension has another
    /// name.
    ///
    /// The parameter is sent only to a server that offers the extension.
    ///
    /// ```
    /// use smtplib::protocol::Parameter;
    ///
    /// let parameter = Parameter::new("XCOLOR", Some("red"))?.of_extension("XPAINT")?;
    /// assert!(Parameter::new("RET", Some("FULL"))?.of_extension("XPAINT").is_err());
    /// # Ok::<(), smtplib::error::CommandError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Parameter`] if the keyword is not valid, or the library already knows the
    /// extension of the parameter.
    pub fn of_extension(mut self, keyword: &str) -> Result<Self, CommandError> {
        if !is_keyword(keyword) || self.row().is_some() {
            return Err(CommandError::Parameter);
        }
        self.extension = Some(keyword.to_ascii_uppercase().into());
        Ok(self)
    }

    /// A parameter that the library makes itself, without a check.
    pub(crate) fn known(keyword: &'static str, value: Option<Cow<'static, str>>) -> Self {
        Self {
            keyword: keyword.into(),
            value,
            extension: None,
        }
    }

    /// Appends the parameter as `Display` writes it.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.keyword.as_bytes());
        if let Some(value) = &self.value {
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        }
    }

    /// Returns the keyword, in upper case.
    #[must_use]
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// Returns the value after the `=`.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The keyword of the extension that a server must offer before this may be sent (RFC 5321,
    /// 2.2.1).
    pub(crate) fn extension(&self) -> &str {
        // RFC 3030 adds this value to BODY, with an extension of the same name.
        if self.keyword == "BODY" && self.value.as_deref() == Some("BINARYMIME") {
            return "BINARYMIME";
        }
        match (&self.extension, self.row()) {
            (Some(extension), _) => extension,
            (None, Some(row)) => row.extension,
            (None, None) => &self.keyword,
        }
    }

    /// How many octets the parameter adds to the limit of the command line.
    pub(crate) fn allowance(&self) -> usize {
        self.row().map_or(0, |row| row.allowance)
    }

    /// Whether the parameter is allowed in this command.
    pub(crate) fn may_stand_at(&self, at: At) -> bool {
        self.row().is_none_or(|row| row.at == at)
    }

    /// Whether the two parameters exclude each other, because both say when mail is released (RFC
    /// 4865, 4).
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        let holds = |one: &Self| matches!(one.keyword(), "HOLDFOR" | "HOLDUNTIL");
        holds(self) && holds(other)
    }

    fn row(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.keyword == self.keyword)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keyword)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Parameter {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        match text.split_once('=') {
            Some((keyword, value)) => Self::new(keyword, Some(value)),
            None => Self::new(text, None),
        }
    }
}

try_from_text!(Parameter, CommandError);
