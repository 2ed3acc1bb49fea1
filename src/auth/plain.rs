//! PLAIN (RFC 4616).

use crate::auth::Mechanism;
use crate::auth::account::Account;
use crate::auth::error::{CredentialsError, check_name};
use crate::secret::Secret;

/// PLAIN (RFC 4616): user name and password in one message, for connections under TLS.
///
/// ```no_run
/// use smtplib::auth::Plain;
///
/// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut Plain::new("alice", "secret")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Plain {
    authorization: String,
    account: Account,
}

impl Plain {
    /// Logs in as `user`.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the user name or the password is empty or has a control character.
    pub fn new(
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self {
            authorization: String::new(),
            account: Account::new(user, password, check_name)?,
        })
    }

    /// Acts as another user, if the server allows it (authorization identity); the default is the
    /// user who logs in.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the name is empty or has a control character.
    pub fn acting_as(mut self, authorization: impl Into<String>) -> Result<Self, CredentialsError> {
        self.authorization = authorization.into();
        check_name(&self.authorization)?;
        Ok(self)
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &str {
        "PLAIN"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        let parts = [
            self.authorization.as_str(),
            self.account.user.as_str(),
            self.account.expose(),
        ];
        Some(parts.join("\0").into_bytes())
    }

    fn respond(&mut self, _challenge: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret(&self) -> Option<&str> {
        Some(self.account.expose())
    }
}
