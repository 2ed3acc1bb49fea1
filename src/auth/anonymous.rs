//! ANONYMOUS (RFC 4505).

use crate::auth::Mechanism;
use crate::auth::error::{CredentialsError, check_text};

/// Longest trace information, in characters (RFC 4505, 2).
const MAX_TRACE: usize = 255;

/// ANONYMOUS (RFC 4505): logs in without a user.
///
/// ```no_run
/// use smtplib::auth::Anonymous;
///
/// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut Anonymous::new("admin@example.com")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Anonymous {
    trace: String,
}

impl Anonymous {
    /// Logs in with a text for the server's administrators: a mail address, another text without
    /// `@`, or nothing.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the text has a control character or more than 255 characters.
    pub fn new(trace: impl Into<String>) -> Result<Self, CredentialsError> {
        let trace = trace.into();
        check_text(&trace)?;
        if trace.chars().count() > MAX_TRACE {
            return Err(CredentialsError::TooLong);
        }
        Ok(Self { trace })
    }
}

impl Mechanism for Anonymous {
    fn name(&self) -> &str {
        "ANONYMOUS"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        Some(self.trace.as_bytes().to_vec())
    }

    fn respond(&mut self, _challenge: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn needs_tls(&self) -> bool {
        false
    }
}
