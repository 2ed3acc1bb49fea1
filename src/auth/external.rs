//! EXTERNAL (RFC 4422, appendix A).

use crate::auth::Mechanism;
use crate::auth::error::{CredentialsError, check_text};

/// EXTERNAL (RFC 4422, appendix A): the client's TLS certificate says who logs in.
///
/// The certificate is set by [`Config::client_identity`](crate::Config::client_identity).
///
/// ```no_run
/// use smtplib::auth::External;
///
/// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut External::new())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct External {
    authorization: String,
}

impl External {
    /// Logs in as the user that the certificate names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Logs in as this user, if the server allows the certificate's owner to do so.
    ///
    /// An empty name means the owner.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the name has a control character.
    pub fn acting_as(authorization: impl Into<String>) -> Result<Self, CredentialsError> {
        let authorization = authorization.into();
        check_text(&authorization)?;
        Ok(Self { authorization })
    }
}

impl Mechanism for External {
    fn name(&self) -> &str {
        "EXTERNAL"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        Some(self.authorization.as_bytes().to_vec())
    }

    fn respond(&mut self, _challenge: &[u8]) -> Option<Vec<u8>> {
        None
    }
}
