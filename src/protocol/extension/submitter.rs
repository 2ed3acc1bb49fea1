//! The AUTH parameter of MAIL (RFC 4954, 5): who first submitted a message.

use crate::address::Address;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::parameter::Parameter;
use crate::protocol::extension::xtext;

impl Parameter {
    /// Makes AUTH: who first submitted the message, for relays that trust each other (RFC 4954, 5).
    /// `None` means that it is not known.
    ///
    /// ```
    /// use smtplib::Address;
    /// use smtplib::protocol::Parameter;
    ///
    /// let alice: Address = "alice@example.com".parse()?;
    /// assert_eq!(Parameter::submitter(Some(&alice))?.to_string(), "AUTH=alice@example.com");
    /// assert_eq!(Parameter::submitter(None)?.to_string(), "AUTH=<>");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for an address outside ASCII.
    pub fn submitter(address: Option<&Address>) -> Result<Self, CommandError> {
        let value = match address.map(Address::to_string) {
            None => Some("<>".to_owned()),
            Some(address) => xtext::encode(&address),
        };
        let wanted = "the submitter in AUTH must be an address in ASCII";
        let value = value.ok_or(CommandError::Option(wanted))?;
        Ok(Self::known("AUTH", Some(value.into())))
    }
}

impl Envelope {
    /// Names who first submitted the message; see [`Parameter::submitter`]. By default nobody is
    /// named.
    ///
    /// ```
    /// use smtplib::{Address, Envelope};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let alice: Address = "alice@example.com".parse()?;
    /// let envelope = Envelope::parse("alice@example.com", "ann@example.org")?.submitter(Some(&alice))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for an address outside ASCII.
    pub fn submitter(self, address: Option<&Address>) -> Result<Self, CommandError> {
        Ok(self.parameter(Parameter::submitter(address)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 4954-17: the example of RFC 4954, 5.
    #[test]
    fn an_address_or_nobody() {
        let submitter = |address: &str| Parameter::submitter(Some(&address.parse().unwrap()));
        assert_eq!(
            submitter("e+mc2@example.com").unwrap().to_string(),
            "AUTH=e+2Bmc2@example.com"
        );
        assert_eq!(Parameter::submitter(None).unwrap().to_string(), "AUTH=<>");
        assert_eq!(
            submitter("zo\u{eb}@example.com").unwrap_err().to_string(),
            "the submitter in AUTH must be an address in ASCII"
        );
    }
}
