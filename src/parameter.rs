//! [`Parameter`]: what MAIL and RCPT can say beside an address.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::command_error::CommandError;

/// A parameter of MAIL or RCPT, such as `RET=HDRS` or `NOTIFY=NEVER` (RFC 5321, 4.1.2).
///
/// It is sent only to a server that offers the extension it belongs to.
///
/// ```
/// use smtplib::Parameter;
///
/// let parameter: Parameter = "NOTIFY=SUCCESS,DELAY".parse()?;
/// assert_eq!(parameter.keyword(), "NOTIFY");
/// assert!("RET=HDRS\r\nDATA".parse::<Parameter>().is_err());
/// # Ok::<(), smtplib::CommandError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    keyword: Cow<'static, str>,
    value: Option<Cow<'static, str>>,
}

impl Parameter {
    /// A parameter from its keyword and, if it has one, its value.
    ///
    /// # Errors
    ///
    /// [`CommandError::Parameter`] if one of them is not what the grammar allows: the value must be
    /// printable ASCII without spaces and `=`. Encode it first (xtext, RFC 3461, 4) where the
    /// extension says so.
    pub fn new(keyword: &str, value: Option<&str>) -> Result<Self, CommandError> {
        let is_keyword = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword
                .bytes()
                .all(|o| o.is_ascii_alphanumeric() || o == b'-');
        // `=` belongs to no value by the grammar, yet base64 and UTF-8 forms of later extensions
        // avoid it, too.
        let is_value = |value: &str| {
            !value.is_empty() && value.bytes().all(|o| o.is_ascii_graphic() && o != b'=')
        };
        if !is_keyword || !value.is_none_or(is_value) {
            return Err(CommandError::Parameter);
        }
        Ok(Self {
            keyword: keyword.to_ascii_uppercase().into(),
            value: value.map(|value| value.to_owned().into()),
        })
    }

    /// A parameter of the library's own making.
    pub(crate) fn known(keyword: &'static str, value: Option<Cow<'static, str>>) -> Self {
        Self {
            keyword: keyword.into(),
            value,
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

    /// The keyword, in upper case.
    #[must_use]
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// The value behind the `=`.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The keyword of the extension that a server must offer before this may be sent (RFC 5321,
    /// 2.2.1).
    pub(crate) fn extension(&self) -> &str {
        match self.keyword.as_ref() {
            "BODY" if self.value.as_deref() == Some("BINARYMIME") => "BINARYMIME",
            "BODY" => "8BITMIME",
            "RET" | "ENVID" | "NOTIFY" | "ORCPT" => "DSN",
            "BY" => "DELIVERBY",
            "HOLDFOR" | "HOLDUNTIL" => "FUTURERELEASE",
            keyword => keyword,
        }
    }

    /// By how much the parameter lengthens the longest command line.
    pub(crate) fn allowance(&self) -> usize {
        match self.keyword.as_ref() {
            "SIZE" => 26,                  // RFC 1870, 3
            "BODY" => 17,                  // RFC 6152, 2
            "SMTPUTF8" => 10,              // RFC 6531, 3.1
            "RET" => 8,                    // RFC 3461, 4.3
            "ENVID" => 107,                // RFC 3461, 4.4
            "NOTIFY" => 28,                // RFC 3461, 4.1
            "ORCPT" | "AUTH" => 500,       // RFC 3461, 4.2; RFC 4954, 5
            "BY" => 17,                    // RFC 2852, 4
            "HOLDFOR" | "HOLDUNTIL" => 34, // RFC 4865, 4
            "MT-PRIORITY" => 15,           // RFC 6710, 3
            _ => 0,
        }
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
