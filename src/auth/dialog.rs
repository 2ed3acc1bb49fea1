//! [`Dialog`]: the AUTH command of SMTP around a mechanism (RFC 4954, 4).

use std::error::Error as StdError;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::Mechanism;
use crate::auth::error::AuthReason;
use crate::auth::user::Before;
use crate::endpoint::{AtServer, Endpoint, ServerName};
use crate::protocol::command::MAX_COMMAND;
use crate::protocol::error::ProtocolError;
use crate::protocol::line::MAX_AUTH_LINE;
use crate::reply::{Escaped, Reply, masked};
use crate::secret::{Secret, wipe};

/// The most challenges that get a response, whatever the mechanism allows.
const MAX_ROUNDS: usize = 10;

/// One AUTH command: lines out, replies in.
pub(crate) struct Dialog<'m> {
    mechanism: &'m mut dyn Mechanism,
    /// An initial response that is too long for the command line. The server asks for it with an
    /// empty challenge.
    deferred: Option<Vec<u8>>,
    rounds: usize,
    /// Why `*` was sent. Whatever the server replies to it, the login has failed.
    cancelled: Option<AuthReason>,
    before: Before,
    /// What was sent. It is masked if the server repeats it.
    sent: Vec<Secret>,
}

/// A line to send, and the form of it that may be shown.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) octets: Vec<u8>,
    pub(crate) shown: String,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Write this line, then read a reply.
    Send(Line),
    /// The server reported success.
    Success(Reply),
    /// The login failed.
    Failure(Box<AuthError>),
    /// The server neither accepted nor refused. It is unknown how it would read the next line.
    Nonsense(ProtocolError),
}

impl<'m> Dialog<'m> {
    /// Returns the AUTH command, with the initial response if there is one and it fits.
    pub(crate) fn start(mechanism: &'m mut dyn Mechanism, before: Before) -> (Self, Line) {
        let name = mechanism.name().to_ascii_uppercase();
        let response = mechanism.initial_response();
        let mut dialog = Self {
            mechanism,
            deferred: None,
            rounds: 0,
            cancelled: None,
            before,
            sent: Vec::new(),
        };
        let line = match response {
            None => Line::open(format!("AUTH {name}")),
            // RFC 4954, 4: an empty initial response is written as a single equals sign.
            Some(response) if response.is_empty() => Line::open(format!("AUTH {name} =")),
            Some(response) => dialog.open_with(&name, response),
        };
        (dialog, line)
    }

    /// `AUTH name response`, or `AUTH name` if the line would be too long.
    fn open_with(&mut self, name: &str, response: Vec<u8>) -> Line {
        let verb = format!("AUTH {name}");
        let encoded = self.encode(response.clone());
        if verb.len() + 1 + encoded.expose().len() + 2 > MAX_COMMAND {
            self.deferred = Some(response);
            return Line::open(verb);
        }
        let mut octets = Vec::with_capacity(MAX_COMMAND);
        for part in [verb.as_bytes(), b" ", encoded.expose().as_bytes(), b"\r\n"] {
            octets.extend_from_slice(part);
        }
        Line {
            octets,
            shown: format!("{verb} ***"),
        }
    }

    /// Takes a reply and says what to do next.
    pub(crate) fn reply(&mut self, reply: Reply) -> Turn {
        let is_refusal = reply.is_transient() || reply.is_permanent();
        let code = reply.code();
        match (code.as_u16(), self.cancelled.take()) {
            (503, None) if self.is_in_already(&reply) => Turn::Success(reply),
            (_, reason) if is_refusal => {
                self.failure(reason.unwrap_or(AuthReason::Refused), &reply)
            }
            (334, None) => self.challenge(&reply),
            (235, None) if self.is_satisfied_by(&reply) => Turn::Success(reply),
            (235, None) => self.failure(AuthReason::ServerUnproven, &reply),
            _ => Turn::Nonsense(ProtocolError::UnexpectedCode(code)),
        }
    }

    /// Whether the mechanism accepts a success. A missing proof may be in the reply itself (RFC
    /// 5802, 5: the server's proof).
    fn is_satisfied_by(&mut self, reply: &Reply) -> bool {
        if !self.mechanism.is_satisfied() {
            let text = reply.text();
            let word = text.rsplit([' ', '\n']).next().unwrap_or_default();
            if let Ok(data) = STANDARD.decode(word) {
                self.mechanism.finish(&data);
            }
        }
        self.mechanism.is_satisfied()
    }

    /// Whether a 503 to AUTH means that the same user has logged in already. An impostor cannot
    /// avoid its proof in this way.
    fn is_in_already(&self, reply: &Reply) -> bool {
        let says_so = || reply.text().to_ascii_lowercase().contains("already");
        self.rounds == 0
            && match self.before {
                Before::Nobody => self.mechanism.is_satisfied() && says_so(),
                Before::Other => false,
                Before::Same => true,
            }
    }

    /// A reply as it may be shown. Some servers repeat what they were sent, even inside a
    /// challenge.
    pub(crate) fn shown(&self, reply: &Reply) -> Reply {
        let secrets = self.secrets();
        if reply.code() == 334 && self.may_repeat(reply, &secrets) {
            reply.masked_whole()
        } else {
            reply.masked(&secrets)
        }
    }

    /// Whether a challenge has a secret in it, or cannot be read and comes behind one.
    fn may_repeat(&self, reply: &Reply, secrets: &[&str]) -> bool {
        let Some(challenge) = decoded(reply) else {
            return !self.sent.is_empty();
        };
        let challenge = String::from_utf8_lossy(&challenge);
        secrets.iter().any(|secret| challenge.contains(secret))
    }

    /// Everything that must be masked if the server repeats it.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let sent = self.sent.iter().map(Secret::expose);
        sent.chain(self.mechanism.secret())
            .filter(|secret| !secret.is_empty())
            .collect()
    }

    fn challenge(&mut self, reply: &Reply) -> Turn {
        self.rounds += 1;
        if self.rounds > MAX_ROUNDS {
            return self.cancel(AuthReason::TooManyChallenges);
        }
        let Some(challenge) = self.decode(reply) else {
            return self.cancel(AuthReason::BadChallenge);
        };
        let response = match self.deferred.take() {
            Some(response) if challenge.is_empty() => Some(response),
            Some(_) => return self.cancel(AuthReason::BadChallenge),
            None => self.mechanism.respond(&challenge),
        };
        match response {
            Some(response) => self.respond(response),
            None => self.cancel(self.mechanism.reason()),
        }
    }

    fn respond(&mut self, response: Vec<u8>) -> Turn {
        let encoded = self.encode(response);
        if encoded.expose().len() + 2 > MAX_AUTH_LINE {
            return self.cancel(AuthReason::ResponseTooLong);
        }
        let octets = [encoded.expose().as_bytes(), b"\r\n"].concat();
        Turn::Send(Line {
            octets,
            shown: "***".to_owned(),
        })
    }

    /// RFC 4954, 4: `*` cancels the login, and the server replies with 501.
    fn cancel(&mut self, reason: AuthReason) -> Turn {
        self.cancelled = Some(reason);
        Turn::Send(Line::open("*".to_owned()))
    }

    fn failure(&self, reason: AuthReason, reply: &Reply) -> Turn {
        let detail = self.mechanism.failure();
        Turn::Failure(Box::new(AuthError {
            mechanism: self.mechanism.name().to_ascii_uppercase(),
            reason,
            reply: Some(self.shown(reply)),
            detail: detail.map(|detail| masked(detail, &self.secrets())),
            server: None,
            others: Box::default(),
        }))
    }

    /// The challenge in a 334 for the mechanism.
    fn decode(&self, reply: &Reply) -> Option<Vec<u8>> {
        let challenge = decoded(reply);
        if self.mechanism.ignores_challenges() {
            challenge.or(Some(Vec::new()))
        } else {
            challenge
        }
    }

    fn encode(&mut self, mut response: Vec<u8>) -> Secret {
        let encoded = Secret::from(STANDARD.encode(&response));
        wipe(&mut response);
        self.sent.push(encoded.clone());
        encoded
    }
}

/// The challenge in a 334. Spaces around it are ignored: some servers write one too many.
fn decoded(reply: &Reply) -> Option<Vec<u8>> {
    let mut lines = reply.lines();
    let text = lines.next().unwrap_or_default();
    let challenge = STANDARD.decode(text.trim_matches(' ')).ok();
    challenge.filter(|_| lines.next().is_none())
}

impl Line {
    /// A line without secrets.
    fn open(text: String) -> Self {
        Self {
            octets: format!("{text}\r\n").into_bytes(),
            shown: text,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        wipe(&mut self.octets);
    }
}

/// Why logging in failed.
///
/// ```
/// use smtplib::Error;
/// use smtplib::error::AuthReason;
///
/// let error = Error::auth_failed("PLAIN", "535 5.7.8 wrong password".parse()?);
/// if let Error::AuthFailed(failure) = &error {
///     assert_eq!(failure.mechanism(), "PLAIN");
///     assert_eq!(failure.reason(), AuthReason::Refused);
/// }
/// # Ok::<(), smtplib::error::ProtocolError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError {
    pub(crate) mechanism: String,
    pub(crate) reason: AuthReason,
    pub(crate) reply: Option<Reply>,
    pub(crate) detail: Option<String>,
    pub(crate) server: Option<Box<Endpoint>>,
    /// Mechanisms that were not tried, separated by spaces.
    pub(crate) others: Box<str>,
}

impl AuthError {
    /// Returns the SASL mechanism that was tried.
    #[must_use]
    pub fn mechanism(&self) -> &str {
        &self.mechanism
    }

    /// Returns the reason.
    #[must_use]
    pub fn reason(&self) -> AuthReason {
        self.reason
    }

    /// Returns the server's last reply, such as 535 for wrong credentials or 454 for "try later"
    /// (RFC 4954, 6).
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Returns details from the mechanism, if there are any.
    ///
    /// That is the server's JSON (RFC 7628, 3.2.2), its `e=` (RFC 5802, 7), or why this side
    /// cancelled. Control characters are removed.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mechanism = &self.mechanism;
        match (&self.reason, &self.reply) {
            (AuthReason::Refused, Some(reply)) => {
                let server = ServerName(&self.server);
                write!(f, "{server} refused the login with {mechanism}: {reply}")?;
            }
            (reason, _) => {
                let at = AtServer(&self.server);
                write!(f, "logging in{at} with {mechanism} failed: {reason}")?;
            }
        }
        if let Some(detail) = &self.detail {
            write!(f, " ({})", Escaped(detail))?;
        }
        match self.others.as_ref() {
            "" => Ok(()),
            others => write!(
                f,
                "; the server also offers {others}: choose with Config::mechanisms"
            ),
        }
    }
}

impl StdError for AuthError {}
