//! [`Disposition`]: what a reader should do with a part (RFC 2183).

use std::borrow::Cow;

use crate::message::error::{MessageProblem, check_controls};
use crate::message::media_type::{MAX_NAME, MediaParameter, parse_parameters};
use crate::message::parameter::is_token;

/// `inline` or `attachment`, and parameters other than the file name.
#[derive(Clone, Debug)]
pub(crate) struct Disposition {
    pub(crate) value: Cow<'static, str>,
    pub(crate) parameters: Vec<MediaParameter>,
}

impl Disposition {
    pub(crate) fn known(value: &'static str) -> Self {
        Self {
            value: value.into(),
            parameters: Vec::new(),
        }
    }

    /// Reads a value such as `attachment; size=12`, and returns a file name in it separately.
    pub(crate) fn parse(text: &str) -> Result<(Self, Option<String>), MessageProblem> {
        check_controls(text)?;
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        let value = value.trim_matches(' ');
        // A longer one might not fit on a line.
        if !is_token(value) || value.len() > MAX_NAME {
            return Err(MessageProblem::Disposition);
        }
        let mut parameters = parse_parameters(rest).ok_or(MessageProblem::Disposition)?;
        let is_name = |(name, _): &MediaParameter| name.eq_ignore_ascii_case("filename");
        let name = parameters.iter().position(is_name);
        let name = name.map(|at| parameters.remove(at).1.into_owned());
        let disposition = Self {
            value: value.to_owned().into(),
            parameters,
        };
        Ok((disposition, name))
    }
}
