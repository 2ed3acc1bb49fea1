//! [`Credentials`]: who logs in, and with what.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::auth::anonymous::Anonymous;
use crate::auth::error::{CredentialsError, check_name};
use crate::auth::external::External;
use crate::auth::oauth::XOAuth2;
use crate::auth::plain::Plain;
use crate::auth::table::Kind;
use crate::secret::Secret;

/// A user name with a password, an OAuth token or a certificate, to log in with.
///
/// A token is never sent as a password, and a password never as a token.
///
/// These mechanisms are used, the best first:
///
/// - [`password`](Self::password): SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1
///   (feature `scram`), PLAIN, LOGIN, CRAM-MD5 (feature `cram-md5`)
/// - [`bearer`](Self::bearer), [`token_from`](Self::token_from): OAUTHBEARER, XOAUTH2
/// - [`certificate`](Self::certificate): EXTERNAL
/// - [`anonymous`](Self::anonymous): ANONYMOUS
///
/// User names and passwords are sent unchanged, in UTF-8. `SASLprep` (RFC 4013) is not applied,
/// because servers do not apply it either.
///
/// ```
/// use smtplib::{Config, Credentials};
///
/// let config = Config::new("mail.example.com").credentials(Credentials::password("alice", "secret"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    secret: Supply,
    kind: Kind,
}

/// The error of a function that gets tokens.
pub(crate) type TokenError = Box<dyn StdError + Send + Sync>;

/// Where the secret comes from.
#[derive(Clone)]
enum Supply {
    Given(Secret),
    Asked(Arc<dyn Fn() -> Result<Secret, TokenError> + Send + Sync>),
}

impl Credentials {
    /// Makes credentials from a user name and a password.
    #[must_use]
    pub fn password(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::new(user, password, Kind::Password)
    }

    /// Makes credentials from a user name and an OAuth 2.0 access token (OAUTHBEARER, RFC 7628, or
    /// XOAUTH2).
    #[must_use]
    pub fn bearer(user: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self::new(user, token, Kind::Bearer)
    }

    /// Makes credentials from a user name and a function that gets an OAuth 2.0 access token.
    ///
    /// Access tokens expire after an hour or so. The function is called at each login, and once
    /// more if the server refuses the token. If it returns the same token again, there is no second
    /// try. If it fails, logging in returns [`Error::Token`](crate::Error::Token).
    ///
    /// ```no_run
    /// use smtplib::{Config, Credentials, Secret};
    ///
    /// # fn refresh() -> Result<Secret, std::fmt::Error> { Err(std::fmt::Error) }
    /// # fn main() -> Result<(), smtplib::Error> {
    /// let mut smtp = Config::new("smtp.gmail.com")
    ///     .credentials(Credentials::token_from("alice@example.com", || refresh()))
    ///     .connect()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// | provider | scope to ask for |
    /// |---|---|
    /// | Gmail | `https://mail.google.com/` |
    /// | Microsoft 365 | `https://outlook.office.com/SMTP.Send`, and `offline_access` for a refresh token |
    #[must_use]
    pub fn token_from<T, E>(
        user: impl Into<String>,
        source: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Self
    where
        T: Into<Secret>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let ask = move || source().map(Into::into).map_err(Into::into);
        Self {
            user: user.into(),
            secret: Supply::Asked(Arc::new(ask)),
            kind: Kind::Bearer,
        }
    }

    /// Makes credentials for the certificate of
    /// [`Config::client_identity`](crate::Config::client_identity), with this user name.
    ///
    /// If the name is empty, the server takes the user from the certificate.
    ///
    /// ```no_run
    /// use smtplib::{Config, Credentials};
    ///
    /// let config = Config::new("mail.example.com")
    ///     .client_identity_files("client.pem", "client.key")
    ///     .credentials(Credentials::certificate(""));
    /// ```
    #[must_use]
    pub fn certificate(user: impl Into<String>) -> Self {
        Self::new(user, "", Kind::Certificate)
    }

    /// Makes credentials for a login without a user (ANONYMOUS, RFC 4505).
    ///
    /// The text is for the server's administrators: a mail address, another text without `@`, or
    /// nothing.
    #[must_use]
    pub fn anonymous(trace: impl Into<String>) -> Self {
        Self::new(trace, "", Kind::Anonymous)
    }

    fn new(user: impl Into<String>, secret: impl Into<Secret>, kind: Kind) -> Self {
        Self {
            user: user.into(),
            secret: Supply::Given(secret.into()),
            kind,
        }
    }

    /// Returns the user name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the user need not be asked for a password.
    pub(crate) fn has_secret(&self) -> bool {
        match (&self.secret, self.kind) {
            (_, Kind::Anonymous | Kind::Certificate) | (Supply::Asked(_), _) => true,
            (Supply::Given(secret), _) => !secret.expose().is_empty(),
        }
    }

    pub(crate) fn set_secret(&mut self, secret: Secret) {
        self.secret = Supply::Given(secret);
    }

    /// The same user; the secret is a token.
    pub(crate) fn into_bearer(self) -> Self {
        Self {
            kind: Kind::Bearer,
            ..self
        }
    }

    /// Whether asking again may return another secret.
    pub(crate) fn is_renewable(&self) -> bool {
        matches!(self.secret, Supply::Asked(_))
    }

    /// The secret. If a function gets it, the function is called.
    pub(crate) fn secret(&self) -> Result<Secret, TokenError> {
        match &self.secret {
            Supply::Given(secret) => Ok(secret.clone()),
            Supply::Asked(ask) => ask(),
        }
    }

    /// Checks whether the credentials can be sent at all, before anything is sent.
    pub(crate) fn check(&self) -> Result<(), CredentialsError> {
        let user = self.user.as_str();
        match (&self.secret, self.kind) {
            (Supply::Asked(_), _) => check_name(user),
            (_, Kind::Anonymous) => Anonymous::new(user).map(drop),
            (_, Kind::Certificate) => External::acting_as(user).map(drop),
            (Supply::Given(token), Kind::Bearer) => XOAuth2::new(user, token.clone()).map(drop),
            (Supply::Given(word), Kind::Password) => Plain::new(user, word.clone()).map(drop),
        }
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "***",
            Self::Asked(_) => "asked for",
        })
    }
}

impl PartialEq for Supply {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given(one), Self::Given(other)) => one == other,
            (Self::Asked(one), Self::Asked(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Supply {}

#[cfg(test)]
mod tests {
    use super::*;

    // Z1
    #[test]
    fn debug_shows_no_secret() {
        let given = Credentials::password("tim", "tanstaaf");
        assert_eq!(
            format!("{given:?}"),
            r#"Credentials { user: "tim", secret: ***, kind: Password }"#
        );
        let asked = Credentials::token_from("tim", || Ok::<_, TokenError>("token"));
        assert_eq!(
            format!("{asked:?}"),
            r#"Credentials { user: "tim", secret: asked for, kind: Bearer }"#
        );
        assert_eq!(asked.clone(), asked);
        assert_ne!(asked, given);
    }
}
