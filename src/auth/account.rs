//! [`Account`]: who logs in, and with what.

use crate::auth::error::{CredentialsError, check_name};
use crate::secret::Secret;

/// A user name, and the password or token that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    secret: Secret,
}

impl Account {
    /// Checks both for the mechanism: `check` knows which secrets it can carry.
    pub(crate) fn new(
        user: impl Into<String>,
        secret: impl Into<Secret>,
        check: fn(&str) -> Result<(), CredentialsError>,
    ) -> Result<Self, CredentialsError> {
        let (user, secret) = (user.into(), secret.into());
        check_name(&user)?;
        check(secret.expose())?;
        Ok(Self { user, secret })
    }

    /// The password or token.
    pub(crate) fn expose(&self) -> &str {
        self.secret.expose()
    }
}
