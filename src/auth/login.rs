//! LOGIN (draft-murchison-sasl-login).

use crate::auth::Mechanism;
use crate::auth::account::Account;
use crate::auth::error::{CredentialsError, check_text};
use crate::secret::Secret;

/// LOGIN (draft-murchison-sasl-login): user name and password, one prompt each, for servers without
/// PLAIN.
///
/// The words of the prompts do not matter: the first gets the user name, and the second the
/// password.
///
/// ```no_run
/// use smtplib::auth::Login;
///
/// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut Login::new("alice", "secret")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Login {
    account: Account,
    answered: usize,
}

impl Login {
    /// Logs in as `user`.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the user name is empty, or one of the two has a control character.
    pub fn new(
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self {
            account: Account::new(user, password, check_text)?,
            answered: 0,
        })
    }
}

impl Mechanism for Login {
    fn name(&self) -> &str {
        "LOGIN"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        self.answered = 0;
        None
    }

    fn respond(&mut self, _challenge: &[u8]) -> Option<Vec<u8>> {
        self.answered += 1;
        match self.answered {
            1 => Some(self.account.user.as_bytes().to_vec()),
            2 => Some(self.account.expose().as_bytes().to_vec()),
            _ => None,
        }
    }

    fn ignores_challenges(&self) -> bool {
        true
    }

    fn secret(&self) -> Option<&str> {
        Some(self.account.expose())
    }
}
