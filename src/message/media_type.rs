//! [`MediaType`]: what kind of content a part has.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::address::try_from_text;
use crate::message::error::{MessageProblem, check_controls};
use crate::message::extension;
use crate::message::parameter::{MAX_PARAMETER_NAME, is_token};

/// The longest type or subtype (RFC 6838, 4.2).
pub(crate) const MAX_NAME: usize = 127;

/// The kind of a part's content: `type/subtype` in lower case, and parameters (RFC 2045, 5.1).
///
/// ```
/// use smtplib::message::MediaType;
///
/// assert_eq!(MediaType::of_file("Report.PDF").to_string(), "application/pdf");
/// assert_eq!(MediaType::of_file("backup.tar.gz").to_string(), "application/gzip");
/// assert_eq!(MediaType::of_file("unknown").to_string(), "application/octet-stream");
///
/// let csv: MediaType = "text/csv; charset=\"utf-8\"; header=present".parse()?;
/// assert_eq!(csv.essence(), "text/csv");
/// assert_eq!(csv.parameter("Charset"), Some("utf-8"));
/// # Ok::<(), smtplib::error::MessageProblem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    essence: Cow<'static, str>,
    parameters: Vec<MediaParameter>,
}

/// Name and value.
pub(crate) type MediaParameter = (Cow<'static, str>, Cow<'static, str>);

impl MediaType {
    /// Guesses the type from a file's extension; the default is `application/octet-stream`.
    ///
    /// The file is not opened. A compressed file has the type of its compression.
    #[must_use]
    pub fn of_file(name: &str) -> Self {
        Self::known(extension::media_type(name))
    }

    /// Makes a type from a text that is known to be one.
    pub(crate) fn known(essence: impl Into<Cow<'static, str>>) -> Self {
        Self {
            essence: essence.into(),
            parameters: Vec::new(),
        }
    }

    /// Returns `type/subtype` without parameters, in lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Returns the value of a parameter; upper and lower case are the same in names.
    #[inline(never)]
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The same type with this parameter, unless it already has one of this name.
    pub(crate) fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        if self.parameter(&name).is_none() {
            self.parameters.push((name, value.into()));
        }
        self
    }

    /// The part before the slash.
    pub(crate) fn top_level(&self) -> &str {
        self.essence.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for MediaType {
    /// Writes the type as in RFC 2045, with quotes around values that need them; values outside
    /// ASCII are kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in self.parameters() {
            if is_token(value) {
                write!(f, "; {name}={value}")?;
            } else {
                let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "; {name}=\"{escaped}\"")?;
            }
        }
        Ok(())
    }
}

impl FromStr for MediaType {
    type Err = MessageProblem;

    fn from_str(text: &str) -> Result<Self, MessageProblem> {
        check_controls(text)?;
        let (essence, rest) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim_matches(' ').to_ascii_lowercase();
        let is_type = essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype));
        if !is_type {
            return Err(MessageProblem::MediaType);
        }
        Ok(Self {
            parameters: parse_parameters(rest).ok_or(MessageProblem::MediaType)?,
            ..Self::known(essence)
        })
    }
}

try_from_text!(MediaType, MessageProblem);

/// RFC 6838, 4.2, restricted-name. Facets and suffixes are not checked.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&octet))
}

/// Reads the parameters after the first semicolon. No name may occur twice.
pub(crate) fn parse_parameters(mut rest: &str) -> Option<Vec<MediaParameter>> {
    let mut parameters: Vec<MediaParameter> = Vec::new();
    while !rest.trim_matches(' ').is_empty() {
        let (name, value, after) = parameter(rest)?;
        let is_new = parameters
            .iter()
            .all(|(key, _)| !key.eq_ignore_ascii_case(name));
        is_new.then_some(())?;
        parameters.push((name.to_owned().into(), value.into()));
        rest = after;
    }
    Some(parameters)
}

/// Reads `name=value` or `name="value"` up to the next semicolon, and returns the rest.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_matches(' ');
    if !is_token(name) || name.contains(['*', '\'', '%']) || name.len() > MAX_PARAMETER_NAME {
        return None;
    }
    let rest = rest.trim_start_matches(' ');
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let (value, after) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
            let value = value.trim_matches(' ');
            (is_token(value).then(|| value.to_owned())?, after)
        }
    };
    let rest = rest.trim_start_matches(' ');
    match rest.strip_prefix(';') {
        Some(after) => Some((name, value, after)),
        None => rest.is_empty().then_some((name, value, rest)),
    }
}

/// Reads a quoted string without its opening quote.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2045-02, 3676-03.
    #[test]
    fn types_and_parameters_are_read() {
        for (text, written) in [
            ("Text/HTML", "text/html"),
            (
                "application/vnd.oasis.opendocument.text",
                "application/vnd.oasis.opendocument.text",
            ),
            (
                "image/svg+xml;charset=utf-8",
                "image/svg+xml; charset=utf-8",
            ),
            ("text/x; a=\"b c\" ; d=e;", "text/x; a=\"b c\"; d=e"),
            ("text/x; a=\"\\\"q\\\\\"", "text/x; a=\"\\\"q\\\\\""),
            ("text/x; a=\"\"", "text/x; a=\"\""),
            ("text/x; a=\"é\"", "text/x; a=\"é\""),
        ] {
            assert_eq!(text.parse::<MediaType>().unwrap().to_string(), written);
        }
    }

    /// 2045-02, H1.
    #[test]
    fn what_is_not_a_type_is_refused() {
        let long = format!("a/{}", "b".repeat(128));
        for text in [
            "",
            "text",
            "text/",
            "/plain",
            "text/pl ain",
            "text/plain/x",
            "te\r\nxt/plain",
            "text/plain\0",
            "text/plain; a",
            "text/plain; a=",
            "text/plain; =b",
            "text/plain; a=\"b",
            "text/plain; a=b c",
            "text/plain; a=b\r\nX: y",
            "text/plain; a*=b",
            "text/plain; a=1; A=2",
            "é/x",
            "*/*",
            &long,
        ] {
            assert!(text.parse::<MediaType>().is_err(), "{text:?}");
        }
    }
}
