//! NO-SOLICITING (RFC 3865): marks for mail that advertises something.

use crate::capabilities::Capabilities;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::parameter::Parameter;

/// Longest list of keywords (RFC 3865, 3).
const MAX_LENGTH: usize = 1000;

impl Parameter {
    /// Makes SOLICIT: the classes of solicitation that the message belongs to, such as
    /// `org.example:ADV:ADLT` (RFC 3865).
    ///
    /// ```
    /// use smtplib::protocol::Parameter;
    ///
    /// let parameter = Parameter::solicit(["org.example:ADV", "net.example:ADV"])?;
    /// assert_eq!(parameter.to_string(), "SOLICIT=org.example:ADV,net.example:ADV");
    /// # Ok::<(), smtplib::error::CommandError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] if there is no keyword, if one is not valid, or if they have more
    /// than 1000 bytes together.
    pub fn solicit<T: AsRef<str>>(
        keywords: impl IntoIterator<Item = T>,
    ) -> Result<Self, CommandError> {
        let mut value = String::new();
        for keyword in keywords {
            if !value.is_empty() {
                value.push(',');
            }
            value.push_str(keyword.as_ref());
        }
        if value.len() > MAX_LENGTH || !value.split(',').all(is_keyword) {
            let wanted = "SOLICIT must be keywords such as org.example:ADV, at most 1000 bytes";
            return Err(CommandError::Option(wanted));
        }
        Ok(Self::known("SOLICIT", Some(value.into())))
    }
}

impl Envelope {
    /// Names the classes of solicitation that the message belongs to; see [`Parameter::solicit`]. By
    /// default there are none.
    ///
    /// ```
    /// use smtplib::Envelope;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let envelope = Envelope::parse("shop@example.com", "ann@example.org")?
    ///     .solicit(["com.example:ADV"])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Parameter::solicit`].
    pub fn solicit<T: AsRef<str>>(
        self,
        keywords: impl IntoIterator<Item = T>,
    ) -> Result<Self, CommandError> {
        Ok(self.parameter(Parameter::solicit(keywords)?))
    }
}

/// A letter, then letters, digits, and `.`, `:`, `-`, `_` (RFC 3865, 2).
fn is_keyword(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|o| o.is_ascii_alphanumeric() || matches!(o, b'.' | b':' | b'-' | b'_'))
}

/// The first class that the server refuses, if any. Its offer names the classes that it refuses
/// (RFC 3865, 3).
pub(crate) fn misfit(value: &str, offers: &Capabilities) -> Option<String> {
    let refused = offers.param("NO-SOLICITING")?;
    let mut refused = refused.split([' ', ',']);
    let is_refused = |keyword: &&str| {
        refused.any(|refused| !refused.is_empty() && refused.eq_ignore_ascii_case(keyword))
    };
    let keyword = value.split(',').find(is_refused)?;
    Some(format!("no mail marked {keyword}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // D6
    #[test]
    fn keywords_in_a_list() {
        let parameter = Parameter::solicit(["org.example:ADV", "net.example_1:x-y"]).unwrap();
        assert_eq!(
            parameter.to_string(),
            "SOLICIT=org.example:ADV,net.example_1:x-y"
        );
        let long = "x".repeat(1001);
        for wrong in [
            &[][..],
            &[""],
            &["1a"],
            &["a b"],
            &["a=b"],
            &[long.as_str()],
        ] {
            let error = Parameter::solicit(wrong).unwrap_err();
            assert_eq!(
                error.to_string(),
                "SOLICIT must be keywords such as org.example:ADV, at most 1000 bytes"
            );
        }
    }
}
