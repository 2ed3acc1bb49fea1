//! Whatever the server says, logging in ends, sends only valid lines, and shows no secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::Mechanism;
use crate::auth::dialog::{Dialog, Line, Turn};
use crate::auth::error::{AuthReason, CredentialsError};
use crate::auth::login::Login;
use crate::auth::oauth::{OAuthBearer, XOAuth2};
use crate::auth::plain::Plain;
use crate::auth::user::Before;
use crate::fuzzing::cutter::Cutter;
use crate::protocol::error::ProtocolError;
use crate::protocol::parser::ReplyParser;
use crate::reply::Reply;

/// Every password and token begins with this, so that a match is no coincidence. It begins with
/// `T`, because a `t` could come from an escape.
const MARK: &str = "Tanstaaf7q";
/// AUTH, ten responses and `*`.
const MOST_LINES: usize = 12;

/// The first byte chooses the mechanism. The fields are a user name, the rest of the secret, a word
/// for the mechanism, and the server's replies, of which the last is repeated.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let choice = cutter.octet();
    let (user, secret, word) = (cutter.text(), cutter.text(), cutter.text());
    // The mask consists of asterisks. A secret with asterisks could appear again around a mask.
    let secret = format!("{MARK}{}", secret.replace('*', ""));
    let replies = replies(cutter);
    match mechanism(choice, &user, &secret, &word) {
        Ok(mut mechanism) => check_dialog(mechanism.as_mut(), &secret, &replies),
        Err(error) => {
            assert!(
                user.is_empty() || [&user, &secret, &word].iter().any(|text| !is_graphic(text))
            );
            assert!(!error.to_string().contains(MARK));
        }
    }
}

fn mechanism(
    choice: u8,
    user: &str,
    secret: &str,
    word: &str,
) -> Result<Box<dyn Mechanism>, CredentialsError> {
    Ok(match choice % 6 {
        0 => Box::new(Plain::new(user, secret)?),
        1 => Box::new(Plain::new(user, secret)?.acting_as(format!("a{word}"))?),
        2 => Box::new(Login::new(user, secret)?),
        3 => Box::new(XOAuth2::new(user, secret)?),
        4 => Box::new(OAuthBearer::new(user, secret)?.server(word, u16::from(choice))),
        _ => Box::new(Scripted::new(choice / 6, secret, word)),
    })
}

fn is_graphic(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_graphic())
}

/// The replies in the fields, parsed line by line. After them, a few times, comes the last one
/// again, and then a challenge, which does not end a login.
fn replies(mut cutter: Cutter<'_>) -> Vec<Reply> {
    let mut replies = Vec::new();
    while !cutter.is_empty() {
        let mut parser = ReplyParser::default();
        for line in cutter.field().split(|octet| *octet == b'\n') {
            let line = line
                .iter()
                .copied()
                .filter(|octet| !matches!(octet, b'\r' | 0));
            let line = line.chain(*b"\r\n").collect::<Vec<_>>();
            replies.extend(parser.push(&line).unwrap_or_default());
        }
    }
    let challenge = ReplyParser::default().push(b"334 \r\n").unwrap().unwrap();
    let again = replies.last().cloned().unwrap_or_else(|| challenge.clone());
    replies.extend(std::iter::repeat_n(again, MOST_LINES));
    replies.extend(std::iter::repeat_n(challenge, MOST_LINES));
    replies
}

/// Plays the server. Every dialog must end long before the replies do.
fn check_dialog(mechanism: &mut dyn Mechanism, secret: &str, replies: &[Reply]) {
    let name = mechanism.name().to_owned();
    let (mut dialog, first) = Dialog::start(mechanism, Before::Nobody);
    check_first(&first, &name);
    let mut is_cancelled = false;
    for (lines, reply) in (1..).zip(replies) {
        assert!(lines <= MOST_LINES, "it does not end");
        let is_challenge = reply.code() == 334;
        check_shown(&dialog.shown(reply).to_string(), secret);
        match dialog.reply(reply.clone()) {
            Turn::Send(line) => {
                assert!(is_challenge && !is_cancelled, "there was nothing to answer");
                is_cancelled = check_response(&line);
            }
            Turn::Success(_) => {
                // The first reply may say that the user has logged in already.
                let says_so = || reply.text().to_ascii_lowercase().contains("already");
                let is_already = reply.code() == 503 && lines == 1 && says_so();
                assert!((reply.code() == 235 || is_already) && !is_cancelled);
                drop(dialog);
                assert!(mechanism.is_satisfied());
                return;
            }
            Turn::Failure(error) => {
                let is_unproven = error.reason() == AuthReason::ServerUnproven;
                assert_eq!(is_unproven, reply.is_positive());
                assert!(!is_unproven || !is_cancelled);
                assert!(!reply.code().is_intermediate());
                check_shown(&error.to_string(), secret);
                check_shown(&format!("{error:?}"), secret);
                return;
            }
            Turn::Nonsense(error) => {
                assert_eq!(error, ProtocolError::UnexpectedCode(reply.code()));
                return assert!(reply.code() != 235 || is_cancelled);
            }
        }
    }
    panic!("the server has run out of replies");
}

fn check_shown(text: &str, secret: &str) {
    assert!(!text.contains(secret), "{text:?} shows {secret:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// The first line is `AUTH name`, perhaps with an initial response (RFC 4954, 4).
fn check_first(line: &Line, name: &str) {
    assert!(line.octets.len() <= 512);
    let text = text(line);
    let open = format!("AUTH {name}");
    match text
        .strip_prefix(&open)
        .expect("the command")
        .strip_prefix(' ')
    {
        None => assert_eq!((text, &line.shown), (open.as_str(), &open)),
        Some("=") => assert_eq!(line.shown, format!("{open} =")),
        Some(response) => {
            assert!(
                STANDARD
                    .decode(response)
                    .is_ok_and(|octets| !octets.is_empty())
            );
            assert_eq!(line.shown, format!("{open} ***"));
        }
    }
}

/// A response is base64 or `*`. Returns whether it is `*`.
fn check_response(line: &Line) -> bool {
    assert!(line.octets.len() <= 12288);
    let is_cancelled = text(line) == "*";
    assert!(is_cancelled || STANDARD.decode(text(line)).is_ok());
    assert_eq!(line.shown, if is_cancelled { "*" } else { "***" });
    is_cancelled
}

/// The text of a line. It must be exactly one line.
fn text(line: &Line) -> &str {
    let text = std::str::from_utf8(&line.octets).unwrap();
    let text = text.strip_suffix("\r\n").expect("a line end");
    assert!(!text.contains(char::is_control));
    text
}

/// A mechanism that the crate does not have, and that behaves as badly as it can.
#[derive(Debug)]
struct Scripted {
    flags: u8,
    secret: String,
    word: Vec<u8>,
    answered: u8,
}

impl Scripted {
    fn new(flags: u8, secret: &str, word: &str) -> Self {
        // Some responses are longer than a line.
        let word = word.as_bytes().repeat(1 + usize::from(flags) * 8);
        Self {
            flags,
            secret: secret.to_owned(),
            word,
            answered: 0,
        }
    }

    fn is_set(&self, bit: u8) -> bool {
        self.flags & 1 << bit != 0
    }
}

impl Mechanism for Scripted {
    fn name(&self) -> &str {
        "X-SCRIPTED_20-OCTETS"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        self.is_set(0).then(|| self.word.clone())
    }

    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        self.answered += 1;
        let answer = [challenge, self.word.as_slice()].concat();
        (self.answered < 8 || self.is_set(1)).then_some(answer)
    }

    fn is_satisfied(&self) -> bool {
        self.answered > 1 || self.is_set(2)
    }

    fn ignores_challenges(&self) -> bool {
        self.is_set(3)
    }

    fn secret(&self) -> Option<&str> {
        Some(&self.secret)
    }
}
