//! MT-PRIORITY (RFC 6710): the priority of a message.

use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::parameter::Parameter;

impl Parameter {
    /// Makes MT-PRIORITY: from -9 to 9 (RFC 6710). A higher number is sent sooner.
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for another number.
    pub fn priority(priority: i8) -> Result<Self, CommandError> {
        if !(-9..=9).contains(&priority) {
            return Err(CommandError::Option("MT-PRIORITY must be -9 to 9"));
        }
        Ok(Self::known(
            "MT-PRIORITY",
            Some(priority.to_string().into()),
        ))
    }
}

impl Envelope {
    /// Sets the priority, from -9 to 9 (MT-PRIORITY, RFC 6710); the default is 0. A higher number
    /// is sent sooner.
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for another number.
    pub fn priority(self, priority: i8) -> Result<Self, CommandError> {
        Ok(self.parameter(Parameter::priority(priority)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 6710-01
    #[test]
    fn from_minus_nine_to_nine() {
        for (priority, expected) in [(-9, "-9"), (0, "0"), (9, "9")] {
            let parameter = Parameter::priority(priority).unwrap();
            assert_eq!(parameter.value(), Some(expected));
        }
        for priority in [-10, 10, i8::MIN, i8::MAX] {
            let error = Parameter::priority(priority).unwrap_err();
            assert_eq!(error.to_string(), "MT-PRIORITY must be -9 to 9");
        }
    }
}
