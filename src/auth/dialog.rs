//! [`Dialog`]: the AUTH command of SMTP around a mechanism (RFC 4954, 4).

use std::error::Error as StdError;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::Mechanism;
use crate::endpoint::{Endpoint, ServerName};
use crate::protocol::command::MAX_COMMAND;
use crate::protocol::error::ProtocolError;
use crate::protocol::line::MAX_AUTH_LINE;
use crate::reply::{Escaped, Reply, masked};
use crate::secret::{Secret, wipe};

/// Most challenges that are answered, whatever the mechanism would bear.
const MAX_ROUNDS: usize = 10;

/// One AUTH command: lines out, replies in.
pub(crate) struct Dialog<'m> {
    mechanism: &'m mut dyn Mechanism,
    /// An initial response too long for the command line; the server asks for it with an empty
    /// challenge.
    deferred: Option<Vec<u8>>,
    rounds: usize,
    /// Why `*` was sent. Whatever the server says to that, the exchange has failed.
    cancelled: Option<AuthReason>,
    /// What was sent, so that it can be masked should the server repeat it.
    sent: Vec<Secret>,
}

/// A line of the client, and what may be shown of it.
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
    /// The server knows us now.
    Success,
    /// It does not.
    Failure(Box<AuthError>),
    /// The server neither let us in nor sent us away: nobody knows what it takes the next line for.
    Nonsense(ProtocolError),
}

impl<'m> Dialog<'m> {
    /// Begins: the AUTH command, with an initial response if there is one and it fits.
    pub(crate) fn start(mechanism: &'m mut dyn Mechanism) -> (Self, Line) {
        let name = mechanism.name().to_ascii_uppercase();
        let response = mechanism.initial_response();
        let mut dialog = Self {
            mechanism,
            deferred: None,
            rounds: 0,
            cancelled: None,
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

    /// `AUTH name response`, or without the response if the line were too long.
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
            (_, reason) if is_refusal => {
                self.failure(reason.unwrap_or(AuthReason::Refused), &reply)
            }
            (334, None) => self.challenge(&reply),
            (235, None) if self.mechanism.is_satisfied() => Turn::Success,
            (235, None) => self.failure(AuthReason::ServerUnproven, &reply),
            _ => Turn::Nonsense(ProtocolError::UnexpectedCode(code)),
        }
    }

    /// A reply as it may be shown: some servers repeat what they are told, even inside a challenge.
    pub(crate) fn shown(&self, reply: &Reply) -> Reply {
        let secrets = self.secrets();
        let challenge = self.decode(reply).unwrap_or_default();
        let challenge = String::from_utf8_lossy(&challenge);
        if reply.code() == 334 && secrets.iter().any(|secret| challenge.contains(*secret)) {
            let whole = reply.text();
            return reply.masked(&[whole.as_str()]);
        }
        reply.masked(&secrets)
    }

    /// Everything that must not be shown, should the server repeat it.
    fn secrets(&self) -> Vec<&str> {
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
            None => self.cancel(AuthReason::Cancelled),
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

    /// RFC 4954, 4: `*` calls the exchange off; the server answers with 501.
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
        }))
    }

    /// The challenge of a 334. Blanks around it are passed over: some servers write one too many.
    fn decode(&self, reply: &Reply) -> Option<Vec<u8>> {
        let mut lines = reply.lines();
        let text = lines.next().unwrap_or_default();
        let challenge = STANDARD.decode(text.trim_matches(' ')).ok();
        let challenge = challenge.filter(|_| lines.next().is_none());
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError {
    pub(crate) mechanism: String,
    pub(crate) reason: AuthReason,
    pub(crate) reply: Option<Reply>,
    pub(crate) detail: Option<String>,
    pub(crate) server: Option<Box<Endpoint>>,
}

impl AuthError {
    /// The SASL mechanism that was tried.
    #[must_use]
    pub fn mechanism(&self) -> &str {
        &self.mechanism
    }

    /// What went wrong.
    #[must_use]
    pub fn reason(&self) -> AuthReason {
        self.reason
    }

    /// The server's last reply: 535 for wrong credentials, 454 for "try later", and others (RFC
    /// 4954, 6).
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// The server's explanation inside the exchange: the JSON of RFC 7628, 3.2.2, control
    /// characters taken out.
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
                write!(f, "{server} refused to log us in by {mechanism}: {reply}")?;
            }
            (reason, _) => {
                f.write_str("logging in")?;
                if let Some(server) = &self.server {
                    write!(f, " at {server}")?;
                }
                write!(f, " by {mechanism} failed: {reason}")?;
            }
        }
        match &self.detail {
            Some(detail) => write!(f, " ({})", Escaped(detail)),
            None => Ok(()),
        }
    }
}

impl StdError for AuthError {}

/// What went wrong while logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthReason {
    /// The server's challenge is not base64, or came where none can come.
    BadChallenge,
    /// The mechanism called the exchange off.
    Cancelled,
    /// The server said no.
    Refused,
    /// The mechanism's response is longer than a line may be.
    ResponseTooLong,
    /// The server reported success without proving that it knows the secret.
    ServerUnproven,
    /// The server asked more often than any mechanism does.
    TooManyChallenges,
}

impl fmt::Display for AuthReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadChallenge => "the server's challenge makes no sense",
            Self::Cancelled => "the mechanism called the exchange off",
            Self::Refused => "the server said no",
            Self::ResponseTooLong => "the response is longer than a line may be",
            Self::ServerUnproven => "the server did not prove that it knows the password",
            Self::TooManyChallenges => "the server never stopped asking",
        })
    }
}
