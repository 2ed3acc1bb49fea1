//! Logging in: which mechanism, and its dialog on the wire.

use crate::auth::Mechanism;
use crate::auth::credentials::Credentials;
use crate::auth::dialog::{AuthError, AuthReason, Dialog, Turn};
use crate::command_error::CommandError;
use crate::connection::SmtpConnection;
use crate::error::{Error, Result};
use crate::exchange::error::Unsupported;
use crate::reply::Code;
use crate::step::Step;

impl SmtpConnection {
    /// Logs in with a user name and a password, by the best mechanism that server and configuration
    /// share.
    ///
    /// A wrong password is tried once, not once per mechanism: that is how accounts get locked.
    ///
    /// # Errors
    ///
    /// [`Error::PlaintextAuth`] without TLS; [`Error::Credentials`]; [`Error::Unsupported`] if the
    /// server offers no AUTH or no mechanism that fits; [`Error::AuthFailed`];
    /// [`Error::Refused`] for 421, which ends the connection.
    pub fn login(&mut self, user: &str, password: &str) -> Result<()> {
        self.login_with(&Credentials::password(user, password))
    }

    /// Logs in with any kind of credentials; see [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub fn login_with(&mut self, credentials: &Credentials) -> Result<()> {
        credentials.check()?;
        self.begin()?;
        self.log_in(credentials)
    }

    /// Logs in by a mechanism of the caller's choice, whether the server offers it or not: Python's
    /// `auth()`.
    ///
    /// # Errors
    ///
    /// [`Error::PlaintextAuth`] if the mechanism needs TLS and there is none; [`Error::Command`] if
    /// its name is none; [`Error::AuthFailed`]; [`Error::Refused`] for 421, which ends the
    /// connection.
    pub fn authenticate(&mut self, mechanism: &mut dyn Mechanism) -> Result<()> {
        check_mechanism_name(mechanism.name())?;
        self.begin()?;
        self.run(mechanism)
    }

    /// One mechanism after the other, as long as only the mechanism is to blame.
    pub(crate) fn log_in(&mut self, credentials: &Credentials) -> Result<()> {
        let names = self.shared_mechanisms(credentials)?;
        let mut failure = None;
        for name in names {
            let mut mechanism = credentials.mechanism(&name, self.config.tcp_server())?;
            match self.run(mechanism.as_mut()) {
                Err(error) if may_try_next(&error) => failure = Some(error),
                result => return result,
            }
        }
        Err(failure.unwrap_or_else(|| Unsupported::Mechanism(Box::default()).into()))
    }

    /// The mechanisms that fit the credentials, are allowed, and are offered.
    fn shared_mechanisms(&self, credentials: &Credentials) -> Result<Vec<String>> {
        // Many servers offer AUTH under TLS only: that TLS is missing is the better answer.
        self.check_privacy(true)?;
        if !self.capabilities.has("AUTH") {
            return Err(Unsupported::Extension("AUTH".into()).into());
        }
        let offered: Vec<&str> = self.capabilities.auth_mechanisms().collect();
        let fitting = credentials.mechanisms();
        let wanted: Vec<&str> = match &self.config.mechanisms {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => fitting.to_vec(),
        };
        let usable = |name: &&str| fitting.contains(name) && offered.contains(name);
        let names: Vec<String> = wanted
            .into_iter()
            .filter(usable)
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            return Err(Unsupported::Mechanism(offered.join(" ").into()).into());
        }
        Ok(names)
    }

    /// Whether something that eavesdroppers must not hear may be said here.
    fn check_privacy(&self, is_needed: bool) -> Result<()> {
        if is_needed && !self.is_tls() && !self.config.allow_plaintext_auth {
            Err(Error::PlaintextAuth)
        } else {
            Ok(())
        }
    }

    fn run(&mut self, mechanism: &mut dyn Mechanism) -> Result<()> {
        self.check_privacy(mechanism.needs_tls())?;
        // AUTH is not permitted inside a mail transaction (RFC 4954, 4).
        if self.state.is_reset_owed {
            self.reset()?;
        }
        let (mut dialog, mut line) = Dialog::start(mechanism);
        loop {
            self.wire
                .send(Step::Auth, &line.octets, Some(&line.shown))?;
            let reply = self
                .wire
                .read_reply_shown(Step::Auth, |reply| dialog.shown(reply))?;
            if reply.code() == Code::SERVICE_CLOSING {
                return Err(self.refused(Step::Auth, dialog.shown(&reply)));
            }
            match dialog.reply(reply) {
                Turn::Send(next) => line = next,
                Turn::Success => return Ok(()),
                Turn::Failure(error) => return Err(self.auth_failed(error)),
                Turn::Nonsense(source) => return Err(self.protocol(Step::Auth, source)),
            }
        }
    }

    /// An impostor that lets us in without the proof is not talked to any further.
    fn auth_failed(&mut self, error: Box<AuthError>) -> Error {
        if error.reason() == AuthReason::ServerUnproven {
            self.wire.abort();
        }
        Error::AuthFailed(error)
    }
}

/// RFC 4422, 3.1.
fn check_mechanism_name(name: &str) -> Result<()> {
    let is_octet = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if matches!(name.len(), 1..=20) && name.bytes().all(is_octet) {
        Ok(())
    } else {
        Err(CommandError::Mechanism.into())
    }
}

/// After 504, 534 or 538 the fault is the mechanism's, and after a challenge that makes no sense,
/// too; everything else is about the credentials or the server (RFC 4954, 6).
fn may_try_next(error: &Error) -> bool {
    let Error::AuthFailed(failure) = error else {
        return false;
    };
    match failure.reason() {
        AuthReason::BadChallenge => true,
        AuthReason::Refused => failure
            .reply()
            .is_some_and(|reply| matches!(reply.code().as_u16(), 504 | 534 | 538)),
        _ => false,
    }
}
