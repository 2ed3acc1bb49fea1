//! [`Credentials`]: who logs in, and with what.

use crate::auth::Mechanism;
use crate::auth::error::CredentialsError;
use crate::auth::login::Login;
use crate::auth::oauth::{OAuthBearer, XOAuth2};
use crate::auth::plain::Plain;
use crate::secret::Secret;

/// Who logs in, and with what: a user with a password, or with an OAuth token.
///
/// The kinds do not mix: a token is never sent as a password, nor the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    secret: Secret,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bearer,
    Password,
}

impl Kind {
    /// The mechanisms that can carry credentials of this kind, best first.
    fn mechanisms(self) -> &'static [&'static str] {
        match self {
            Self::Bearer => &["OAUTHBEARER", "XOAUTH2"],
            Self::Password => &["PLAIN", "LOGIN"],
        }
    }
}

impl Credentials {
    /// A user name and a password.
    #[must_use]
    pub fn password(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            user: user.into(),
            secret: password.into(),
            kind: Kind::Password,
        }
    }

    /// A user name and an OAuth 2.0 access token (OAUTHBEARER, RFC 7628, or XOAUTH2).
    #[must_use]
    pub fn bearer(user: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self {
            user: user.into(),
            secret: token.into(),
            kind: Kind::Bearer,
        }
    }

    /// The user name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn has_secret(&self) -> bool {
        !self.secret.expose().is_empty()
    }

    pub(crate) fn set_secret(&mut self, secret: Secret) {
        self.secret = secret;
    }

    /// Whether the secret is a token.
    pub(crate) fn is_bearer(&self) -> bool {
        self.kind == Kind::Bearer
    }

    /// The same user, the secret being a token.
    pub(crate) fn into_bearer(self) -> Self {
        Self {
            kind: Kind::Bearer,
            ..self
        }
    }

    /// The mechanisms that can carry these credentials, best first.
    pub(crate) fn mechanisms(&self) -> &'static [&'static str] {
        self.kind.mechanisms()
    }

    /// Whether there is a mechanism of this name, for whatever credentials.
    pub(crate) fn is_mechanism(name: &str) -> bool {
        let mut kinds = [Kind::Bearer, Kind::Password].into_iter();
        kinds.any(|kind| kind.mechanisms().contains(&name))
    }

    /// Whether the credentials can be sent at all; asked before anything is.
    pub(crate) fn check(&self) -> Result<(), CredentialsError> {
        match self.kind {
            Kind::Bearer => XOAuth2::new(&self.user, self.secret.clone()).map(drop),
            Kind::Password => Plain::new(&self.user, self.secret.clone()).map(drop),
        }
    }

    /// A fresh run of one of [`mechanisms`](Self::mechanisms), for the server at this name and port
    /// if it has them.
    pub(crate) fn mechanism(
        &self,
        name: &str,
        server: Option<(&str, u16)>,
    ) -> Result<Box<dyn Mechanism>, CredentialsError> {
        let (user, secret) = (self.user.as_str(), self.secret.clone());
        Ok(match name {
            "OAUTHBEARER" => {
                let mechanism = OAuthBearer::new(user, secret)?;
                Box::new(match server {
                    Some((host, port)) => mechanism.server(host, port),
                    None => mechanism,
                })
            }
            "XOAUTH2" => Box::new(XOAuth2::new(user, secret)?),
            "PLAIN" => Box::new(Plain::new(user, secret)?),
            _ => Box::new(Login::new(user, secret)?),
        })
    }
}
