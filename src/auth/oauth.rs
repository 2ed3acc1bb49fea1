//! OAUTHBEARER (RFC 7628) and XOAUTH2, its predecessor.

use crate::auth::Mechanism;
use crate::auth::account::Account;
use crate::auth::error::{CredentialsError, check_name};
use crate::secret::Secret;

/// The longest explanation of a failure that is kept, in characters.
const MAX_FAILURE: usize = 1024;

/// XOAUTH2: an access token, as Google and Microsoft introduced it.
///
/// ```no_run
/// use smtplib::auth::XOAuth2;
///
/// # fn log_in(token: &str, smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut XOAuth2::new("alice@example.com", token)?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct XOAuth2 {
    account: Account,
    failure: Option<String>,
}

impl XOAuth2 {
    /// Logs `user` in with an access token.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the user name or the token is empty or has a character it may not
    /// have.
    pub fn new(
        user: impl Into<String>,
        token: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self {
            account: Account::new(user, token, check_token)?,
            failure: None,
        })
    }
}

impl Mechanism for XOAuth2 {
    fn name(&self) -> &str {
        "XOAUTH2"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        self.failure = None;
        let token = self.account.expose();
        Some(format!("user={}\x01auth=Bearer {token}\x01\x01", self.account.user).into_bytes())
    }

    /// A challenge explains a failure; after an empty response the server sends its 535.
    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        keep_failure(&mut self.failure, challenge).then(Vec::new)
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn secret(&self) -> Option<&str> {
        Some(self.account.expose())
    }
}

/// OAUTHBEARER (RFC 7628): an access token.
///
/// ```no_run
/// use smtplib::auth::OAuthBearer;
///
/// # fn log_in(token: &str, smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut OAuthBearer::new("alice@example.com", token)?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OAuthBearer {
    account: Account,
    server: Option<(String, u16)>,
    failure: Option<String>,
}

impl OAuthBearer {
    /// Logs `user` in with an access token.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the user name or the token is empty or has a character it may not
    /// have.
    pub fn new(
        user: impl Into<String>,
        token: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self {
            account: Account::new(user, token, check_token)?,
            server: None,
            failure: None,
        })
    }

    /// Names the server that the token is for (RFC 7628, 3.1).
    ///
    /// Logging in with a [`Config`](crate::Config) does this for you.
    #[must_use]
    pub fn server(mut self, host: &str, port: u16) -> Self {
        // A host with a control character could add a field. Nobody can connect to such a host
        // anyway.
        self.server = check_name(host).is_ok().then(|| (host.to_owned(), port));
        self
    }
}

impl Mechanism for OAuthBearer {
    fn name(&self) -> &str {
        "OAUTHBEARER"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        self.failure = None;
        // saslname (RFC 5801, 4): `=` and `,` structure the header and are escaped.
        let user = self.account.user.replace('=', "=3D").replace(',', "=2C");
        let server = self.server.as_ref();
        let server = server.map(|(host, port)| format!("host={host}\x01port={port}\x01"));
        let server = server.unwrap_or_default();
        let token = self.account.expose();
        Some(format!("n,a={user},\x01{server}auth=Bearer {token}\x01\x01").into_bytes())
    }

    /// A challenge explains a failure; after `0x01` the server sends its 535 (RFC 7628, 3.2.3).
    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        keep_failure(&mut self.failure, challenge).then(|| vec![1])
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn secret(&self) -> Option<&str> {
        Some(self.account.expose())
    }
}

/// Keeps the server's explanation. Returns false if there was one already: no server has a reason
/// to explain twice.
fn keep_failure(failure: &mut Option<String>, challenge: &[u8]) -> bool {
    let text = String::from_utf8_lossy(challenge);
    let text = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_FAILURE)
        .collect();
    failure.replace(text).is_none()
}

/// RFC 6750, 2.1: b64token. Some vendors use other characters, but only printable ASCII, which
/// cannot be mistaken for the end of a field.
fn check_token(token: &str) -> Result<(), CredentialsError> {
    match token {
        "" => Err(CredentialsError::Empty),
        _ if token.bytes().all(|octet| octet.is_ascii_graphic()) => Ok(()),
        _ => Err(CredentialsError::Token),
    }
}
