//! Logging in: choosing the mechanism, and its dialog on the wire.

use std::time::Instant;

use crate::auth::Mechanism;
use crate::auth::choice::{Circumstances, NoChoice, choose};
use crate::auth::credentials::Credentials;
use crate::auth::dialog::{AuthError, Dialog, Turn};
use crate::auth::error::AuthReason;
use crate::auth::table::{Binding, Ingredients, Row};
use crate::auth::user::{Before, User};
use crate::command_error::CommandError;
use crate::config::Security;
use crate::connection::SmtpConnection;
use crate::error::{Error, Result};
use crate::exchange::error::Unsupported;
use crate::reply::{Code, Reply};
use crate::secret::Secret;
use crate::step::Step;

impl SmtpConnection {
    /// Logs in with a user name and a password, and returns the server's reply: Python's `login()`.
    ///
    /// It uses the best mechanism that both server and configuration allow. A wrong password is
    /// tried only once, because servers lock accounts after several failures. The next mechanism is
    /// tried only if the server refuses the mechanism (500 to 504, 534, 538). If this user is
    /// logged in already, that counts as success, and the reply is the server's 503.
    ///
    /// ```no_run
    /// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
    /// let reply = smtp.login("alice", "secret")?;
    /// println!("{reply}"); // 235 2.7.0 Authentication successful
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::PlaintextAuth`] if the password would be sent without TLS; [`Error::Credentials`];
    /// [`Error::Unsupported`] if the server offers no AUTH or no mechanism that fits;
    /// [`Error::AuthFailed`]; [`Error::Refused`] for 421, which ends the connection.
    pub fn login(&mut self, user: &str, password: &str) -> Result<Reply> {
        self.login_with(&Credentials::password(user, password))
    }

    /// Logs in with any kind of credentials and returns the server's reply; see
    /// [`login`](Self::login).
    ///
    /// ```no_run
    /// use smtplib::Credentials;
    ///
    /// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
    /// smtp.login_with(&Credentials::bearer("alice@example.com", "the access token"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub fn login_with(&mut self, credentials: &Credentials) -> Result<Reply> {
        credentials.check()?;
        self.begin()?;
        self.log_in(credentials)
    }

    /// Logs in with the mechanism that you choose, and returns the server's reply: Python's
    /// `auth()`.
    ///
    /// The mechanism is used even if the server does not offer it. [`auth`](crate::auth) has an
    /// example.
    ///
    /// # Errors
    ///
    /// [`Error::PlaintextAuth`] if the mechanism needs TLS and there is none; [`Error::Command`] if
    /// its name is not valid; [`Error::AuthFailed`]; [`Error::Refused`] for 421, which ends the
    /// connection.
    pub fn authenticate(&mut self, mechanism: &mut dyn Mechanism) -> Result<Reply> {
        check_mechanism_name(mechanism.name())?;
        self.begin()?;
        let reply = self.run(mechanism, self.user.before_anybody())?;
        self.user = User::Unknown;
        Ok(reply)
    }

    /// Logs in, and tries a second time if the server refuses a token that may have expired.
    pub(crate) fn log_in(&mut self, credentials: &Credentials) -> Result<Reply> {
        let rows = self.choose(credentials)?;
        let secret = credentials.secret().map_err(Error::Token)?;
        let result = self.try_each(credentials, &secret, &rows);
        match result {
            Err(error) if credentials.is_renewable() && is_wrong_secret(&error) => {
                let fresh = credentials.secret().map_err(Error::Token)?;
                if fresh == secret || self.wire.is_closed() {
                    return Err(error);
                }
                self.try_each(credentials, &fresh, &rows)
            }
            result => result,
        }
    }

    /// Tries one mechanism after the other, until an error is not only about the mechanism.
    fn try_each(
        &mut self,
        credentials: &Credentials,
        secret: &Secret,
        rows: &[&'static Row],
    ) -> Result<Reply> {
        let mut rows = rows.iter();
        while let Some(row) = rows.next() {
            match self.try_one(credentials, secret, row) {
                Err(error) if may_try_next(&error) && rows.len() > 0 => {}
                Err(error) => return Err(naming_others(error, rows.as_slice())),
                Ok(reply) => {
                    self.user = User::of(credentials);
                    return Ok(reply);
                }
            }
        }
        Err(Unsupported::mechanism("").into())
    }

    fn try_one(&mut self, credentials: &Credentials, secret: &Secret, row: &Row) -> Result<Reply> {
        let binding = self.binding();
        let mut mechanism = row.make(&Ingredients {
            user: credentials.user(),
            secret: secret.clone(),
            server: self.config.tcp_server(),
            binding: &binding,
        })?;
        self.run(mechanism.as_mut(), self.user.before(credentials))
    }

    /// The mechanisms that fit the credentials, are allowed and are offered.
    fn choose(&self, credentials: &Credentials) -> Result<Vec<&'static Row>> {
        let offered: Vec<&str> = self.capabilities.auth_mechanisms().collect();
        let circumstances = Circumstances {
            is_tls: self.is_tls(),
            is_meant_to_be_plain: self.config.security == Security::None,
            allows_plaintext: self.config.allow_plaintext_auth,
            can_bind: self.binding().data.is_some(),
        };
        let allowed = self.config.mechanisms.as_deref();
        choose(credentials.kind(), allowed, &offered, circumstances)
            .map_err(|why| self.no_choice(why, &offered))
    }

    /// Many servers offer AUTH only under TLS. Then the missing TLS is the better error.
    fn no_choice(&self, why: NoChoice, offered: &[&str]) -> Error {
        let is_plain = !self.is_tls() && !self.config.allow_plaintext_auth;
        match why {
            NoChoice::NeedsTls => Error::plaintext_auth(),
            _ if is_plain && self.capabilities.has("STARTTLS") => Error::plaintext_auth(),
            _ if is_plain && !self.capabilities.has("AUTH") => {
                Unsupported::AuthWithoutTls { server: None }.into()
            }
            _ if !self.capabilities.has("AUTH") => Unsupported::Auth { server: None }.into(),
            NoChoice::Excluded(names) => Unsupported::excluded(&names.join(" ")).into(),
            NoChoice::Unfit => Unsupported::mechanism(&offered.join(" ")).into(),
        }
    }

    /// The data that a login can be tied to (RFC 5802, 6).
    fn binding(&self) -> Binding {
        Binding {
            data: self.wire.stream().tls_server_end_point(),
            is_offered: self
                .capabilities
                .auth_mechanisms()
                .any(|name| name.starts_with("SCRAM-") && name.ends_with("-PLUS")),
        }
    }

    /// Checks that a secret may be sent on this connection.
    fn check_privacy(&self, is_needed: bool) -> Result<()> {
        if is_needed && !self.is_tls() && !self.config.allow_plaintext_auth {
            Err(Error::plaintext_auth())
        } else {
            Ok(())
        }
    }

    fn run(&mut self, mechanism: &mut dyn Mechanism, before: Before) -> Result<Reply> {
        self.check_privacy(mechanism.needs_tls())?;
        // AUTH is not permitted inside a mail transaction (RFC 4954, 4).
        if self.state.is_reset_owed {
            self.reset()?;
        }
        let (mut dialog, mut line) = Dialog::start(mechanism, before);
        self.wire.begin_auth();
        loop {
            self.wire.hide(&dialog.secrets());
            self.wire
                .send(Step::Auth, &line.octets, Some(&line.shown))?;
            let reply = self
                .wire
                .read_reply_shown(Step::Auth, |reply| dialog.shown(reply))?;
            if reply.code() == Code::SERVICE_CLOSING {
                return Err(self.refused(Step::Auth, dialog.shown(&reply)));
            }
            let begun = Instant::now();
            let turn = dialog.reply(reply);
            self.wire.prolong_auth(begun.elapsed());
            match turn {
                Turn::Send(next) => line = next,
                Turn::Success(reply) => return Ok(reply),
                Turn::Failure(error) => return Err(self.auth_failed(error)),
                Turn::Nonsense(source) => return Err(self.protocol(Step::Auth, source)),
            }
        }
    }

    /// A server that accepts the login without proving itself may be an impostor. So the connection
    /// is closed.
    fn auth_failed(&mut self, error: Box<AuthError>) -> Error {
        if error.reason() == AuthReason::ServerUnproven {
            self.wire.abort();
        }
        Error::AuthFailed(error)
    }
}

/// Checks the name of a mechanism (RFC 4422, 3.1).
fn check_mechanism_name(name: &str) -> Result<()> {
    let is_octet = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if matches!(name.len(), 1..=20) && name.bytes().all(is_octet) {
        Ok(())
    } else {
        Err(CommandError::Mechanism.into())
    }
}

/// Whether the error is only about the mechanism. The server sends these codes before it looks at
/// the password (RFC 4954, 6; RFC 5321, 4.2.2), unless the enhanced code says otherwise. A
/// challenge that makes no sense is about the mechanism, too.
fn may_try_next(error: &Error) -> bool {
    let Error::AuthFailed(failure) = error else {
        return false;
    };
    match (failure.reason(), failure.reply()) {
        (AuthReason::BadChallenge, _) => true,
        (AuthReason::Refused, Some(reply)) => {
            matches!(reply.code().as_u16(), 500..=504 | 534 | 538) && !has_looked(reply)
        }
        _ => false,
    }
}

/// 5.7.8: authentication credentials invalid (RFC 4954, 6).
fn has_looked(reply: &Reply) -> bool {
    let code = reply.enhanced();
    code.is_some_and(|code| (code.subject(), code.detail()) == (7, 8))
}

/// Whether the server has checked the password or token and refused it.
fn is_wrong_secret(error: &Error) -> bool {
    let Error::AuthFailed(failure) = error else {
        return false;
    };
    let is_refused = failure.reason() == AuthReason::Refused;
    is_refused && (failure.detail().is_some() || error.code().is_some_and(|code| code == 535))
}

/// A wrong password is not tried with another mechanism, because servers lock accounts. The error
/// names the other mechanisms.
fn naming_others(mut error: Error, others: &[&Row]) -> Error {
    if let Error::AuthFailed(failure) = &mut error {
        if failure.reason() == AuthReason::Refused
            && failure.reply().is_some_and(|reply| reply.code() == 535)
        {
            let names: Vec<&str> = others.iter().map(|row| row.name).collect();
            failure.others = names.join(" ").into();
        }
    }
    error
}
