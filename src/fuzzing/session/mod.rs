//! A whole connection to a server in memory: whatever the server says and the caller asks for, it
//! ends, keeps the rules, and reports the truth about the message.

mod peer;
mod transaction;
mod witness;

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use native_tls::TlsConnector;

use crate::auth::credentials::Credentials;
use crate::config::{Config, Security};
use crate::connection::SmtpConnection;
use crate::envelope::Envelope;
use crate::error::{Delivery, Error, Result};
use crate::fuzzing::cutter::Cutter;
use crate::fuzzing::session::peer::{Chunk, Memory};
use crate::fuzzing::session::transaction::Sent;
use crate::fuzzing::session::witness::Witness;
use crate::net::stream::Stream;
use crate::outcome::Outcome;
use crate::protocol::data::{canonical, expected};
use crate::trace::TraceLine;

/// The password of every login, and its base64 at each of the three possible offsets.
const PASSWORD: &str = "Tanstaaf7q";
const SHOWN_PASSWORDS: [&str; 4] = [PASSWORD, "VGFuc3RhYWY3c", "RhbnN0YWFmN3", "UYW5zdGFhZjdx"];
/// The length of a long message, in bytes.
const LONG: usize = 70_000;

/// The first byte holds flags. The second is how much can be written, in units of 64 bytes; 0 means
/// no limit. The third is how much one write takes. The first byte of each field says what the
/// field is: a piece of what the server sends, or an action of the caller.
pub(super) fn check(data: &[u8]) {
    let (session, actions) = open(data);
    match session {
        Ok(session) => session.run(&actions),
        Err(error) => check_error(&error),
    }
}

/// The session, or the error that ended it, and the actions in it.
fn open(data: &[u8]) -> (Result<Session>, Vec<Part<'_>>) {
    let mut cutter = Cutter::new(data);
    let flags = Flags(cutter.octet());
    let (budget, most_per_write) = (limit(cutter.octet(), 64), limit(cutter.octet(), 1));
    let (chunks, actions): (Vec<Part<'_>>, Vec<Part<'_>>) = parts(cutter).partition(Part::is_chunk);
    let witness = Arc::new(Mutex::new(Witness::new(flags.is_lmtp())));
    let peer = Memory {
        chunks: chunks.iter().map(Part::chunk).collect(),
        is_eof: flags.is_eof(),
        budget,
        most_per_write,
        is_polling: false,
        witness: Arc::clone(&witness),
    };
    let mut shown = SHOWN_PASSWORDS.iter();
    let text = String::from_utf8_lossy(data);
    let is_private = !shown.any(|shown| text.contains(shown));
    let config = flags
        .config()
        .trace(move |line| check_trace(line, is_private));
    let connection = SmtpConnection::open(Stream::new(peer), &config, None);
    let session = connection.map(|connection| Session {
        connection,
        witness,
        flags,
    });
    (session, actions)
}

/// How many bytes a limit means.
fn limit(octet: u8, unit: usize) -> usize {
    match octet {
        0 => usize::MAX,
        octet => unit * usize::from(octet),
    }
}

#[derive(Clone, Copy)]
struct Flags(u8);

impl Flags {
    fn is_eof(self) -> bool {
        self.0 & 1 != 0
    }

    fn is_lmtp(self) -> bool {
        self.0 & 2 != 0
    }

    fn requires_all(self) -> bool {
        self.0 & 4 != 0
    }

    fn config(self) -> Config {
        static CONNECTOR: OnceLock<TlsConnector> = OnceLock::new();
        let config = if self.is_lmtp() {
            Config::lmtp("mx.example", 24)
        } else {
            Config::new("mx.example")
        };
        let config = match self.0 >> 3 & 3 {
            0 => config
                .security(Security::None)
                .danger_allow_plaintext_auth(true),
            1 => config.security(Security::None),
            2 => config
                .security(Security::Opportunistic)
                .danger_allow_plaintext_auth(true),
            _ => config.security(Security::StartTls),
        };
        let config = match self.0 >> 5 & 3 {
            1 => config.credentials(Credentials::password("alice", PASSWORD)),
            2 => config.credentials(Credentials::bearer("alice", PASSWORD)),
            _ => config,
        };
        let connector = || {
            let mut builder = TlsConnector::builder();
            builder.disable_built_in_roots(true).build().unwrap()
        };
        config.tls_connector(CONNECTOR.get_or_init(connector).clone())
    }
}

/// A field: its kind, and its content.
struct Part<'a>(u8, &'a [u8]);

fn parts(mut cutter: Cutter<'_>) -> impl Iterator<Item = Part<'_>> {
    let fields = std::iter::from_fn(move || (!cutter.is_empty()).then(|| cutter.field()));
    fields
        .filter_map(|field| field.split_first())
        .map(|(kind, octets)| Part(*kind, octets))
}

impl Part<'_> {
    fn is_chunk(&self) -> bool {
        matches!(self.0, b'S' | b'E') && !self.1.is_empty()
    }

    fn chunk(&self) -> Chunk {
        Chunk {
            octets: self.1.to_vec(),
            is_early: self.0 == b'E',
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.1).into_owned()
    }

    /// The sender and the recipients, one on each line, and after an empty line the message.
    fn mail(&self) -> (String, Vec<String>, Vec<u8>) {
        let text = String::from_utf8_lossy(self.1);
        let (head, _) = text.split_once("\n\n").unwrap_or((&text, ""));
        let body = self
            .1
            .windows(2)
            .position(|pair| pair == b"\n\n")
            .map_or(self.1.len(), |at| at + 2);
        let mut lines = head.split('\n').map(str::to_owned);
        let from = lines.next().unwrap_or_default();
        (from, lines.collect(), self.1[body..].to_vec())
    }
}

struct Session {
    connection: SmtpConnection,
    witness: Arc<Mutex<Witness>>,
    flags: Flags,
}

impl Session {
    fn run(mut self, actions: &[Part<'_>]) {
        for action in actions {
            let was_closed = self.connection.wire.is_closed();
            if action.0 == b'q' {
                let farewell = self.connection.quit();
                assert!(!was_closed || farewell.is_none());
                return;
            }
            let result = self.act(action);
            assert!(
                !was_closed || result.is_err(),
                "{:?} on a closed connection",
                char::from(action.0)
            );
            if let Err(error) = &result {
                check_error(error);
            }
            let is_closed = self.connection.wire.is_closed();
            assert!(is_closed || self.witness().is_settled());
            assert!(self.connection.wire.outbox().capacity() <= 256 * 1024);
        }
    }

    fn act(&mut self, action: &Part<'_>) -> Result<()> {
        let smtp = &mut self.connection;
        match action.0 {
            b'b' => smtp
                .login_with(&Credentials::bearer(action.text(), PASSWORD))
                .map(drop),
            b'c' => smtp.command(&action.text()).map(drop),
            b'e' => smtp.ehlo().map(drop),
            b'h' => smtp.help(&action.text()).map(drop),
            b'l' => smtp.login(&action.text(), PASSWORD).map(drop),
            b'n' => smtp.noop().map(drop),
            b's' => smtp.starttls().map(drop),
            b'v' => smtp.vrfy(&action.text()).map(drop),
            b'x' => smtp.expn(&action.text()).map(drop),
            b'z' => smtp.rset().map(drop),
            b'd' | b'm' | b'M' | b'r' | b'R' | b't' | b'T' | b'w' => self.send(action),
            _ => {
                if smtp.is_reusable() {
                    Ok(())
                } else {
                    Err(Error::Closed)
                }
            }
        }
    }

    /// Sends a message in one of the possible ways, and compares the result with what the witness
    /// saw.
    fn send(&mut self, action: &Part<'_>) -> Result<()> {
        let (from, to, mut message) = action.mail();
        if action.0.is_ascii_uppercase() && !message.is_empty() {
            message = message.repeat(LONG / message.len());
        }
        self.witness().transactions.clear();
        let way = action.0.to_ascii_lowercase();
        let result = match way {
            b'm' => self.connection.sendmail(&from, &to, &message),
            b'r' => self.send_reader(&from, &to, &message),
            _ => self.send_by_hand(way, &from, &to, &message),
        };
        match &result {
            Ok(outcome) => self.check_outcome(outcome, way, &message),
            Err(error) => self.check_failure(error, way),
        }
        result.map(drop)
    }

    fn send_reader(&mut self, from: &str, to: &[String], message: &[u8]) -> Result<Outcome> {
        let address = |text: &str| {
            text.parse().map_err(|reason| Error::Address {
                address: text.into(),
                reason,
            })
        };
        let to = to
            .iter()
            .map(|to| address(to))
            .collect::<Result<Vec<_>>>()?;
        let from = if from.is_empty() {
            None
        } else {
            Some(address(from)?)
        };
        let envelope = Envelope::new(from, to)
            .require_all(self.flags.requires_all())
            .allow_long_lines(true);
        self.connection.send(&envelope, message)
    }

    fn send_by_hand(
        &mut self,
        way: u8,
        from: &str,
        to: &[String],
        message: &[u8],
    ) -> Result<Outcome> {
        let mut transaction = self.connection.mail(from)?;
        for to in to {
            // A recipient that is not an address, or that is refused, does not end a transaction.
            match transaction.rcpt(to) {
                Err(error @ Error::Address { .. }) => check_error(&error),
                result => drop(result?),
            }
        }
        match way {
            b't' => transaction.data(message),
            b'd' => {
                drop(transaction.data_writer()?.write(message));
                Err(Error::Closed)
            }
            _ => {
                let mut writer = transaction.data_writer()?;
                message
                    .chunks(7)
                    .try_for_each(|piece| writer.write_all(piece))
                    .map_err(Error::Source)?;
                writer.finish()
            }
        }
    }

    fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap()
    }

    /// The addresses that have the message, in alphabetical order: a message may take more than one
    /// transaction. In LMTP an address that was given twice is sent once and has its result twice,
    /// unless it was sent by hand.
    fn accepted(&self, outcome: &Outcome, way: u8) -> Vec<String> {
        let accepted = outcome.accepted();
        let mut accepted: Vec<String> = accepted.map(|one| one.address().to_string()).collect();
        accepted.sort();
        if self.flags.is_lmtp() && is_whole(way) {
            for (one, other) in pairs(outcome.recipients()) {
                assert!(one.address() != other.address() || one.status() == other.status());
            }
            accepted.dedup();
        }
        accepted
    }

    /// `Ok` reports what the server said about each recipient.
    fn check_outcome(&self, outcome: &Outcome, way: u8, message: &[u8]) {
        let witness = self.witness();
        assert_eq!(self.accepted(outcome, way), witness.taken());
        assert!(outcome.accepted().next().is_some() && !witness.is_unknown());
        assert!(outcome.reply().is_some());
        for sent in witness.messages() {
            match sent {
                Sent::Lines(lines) => assert_eq!(*lines, expected(message).0),
                Sent::Chunks(octets) => assert_eq!(*octets, canonical(message)),
            }
        }
        // In LMTP a recipient can be refused behind the message.
        let requires_all = way == b'r' && self.flags.requires_all() && !self.flags.is_lmtp();
        assert!(outcome.is_complete() || !requires_all);
    }

    /// A failure reports exactly what is known about the message.
    fn check_failure(&self, error: &Error, way: u8) {
        let witness = self.witness();
        let is_unknown = error.delivery() == Delivery::Unknown;
        assert_eq!(
            is_unknown,
            witness.is_unknown(),
            "{error}: {:?}",
            witness.transactions
        );
        assert_eq!(
            error
                .outcome()
                .map(|outcome| self.accepted(outcome, way))
                .unwrap_or_default(),
            witness.taken(),
            "{error}"
        );
        let is_somebodys = is_unknown || !witness.taken().is_empty();
        assert!(!(is_somebodys && error.is_transient()), "{error}");
    }
}

/// Whether the message is sent by one call.
fn is_whole(way: u8) -> bool {
    matches!(way, b'm' | b'r')
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    let with_rest = all.iter().enumerate();
    with_rest.flat_map(|(place, one)| all[place + 1..].iter().map(move |other| (one, other)))
}

fn check_error(error: &Error) {
    let shown = error.to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(error.code().is_none() || error.reply().is_some());
    // Every method must work.
    let _ = (
        error.step(),
        error.is_timeout(),
        error.is_closed(),
        error.is_permanent(),
    );
}

/// The trace of what the client sends has no secret, unless the fuzzer's input has it, too.
fn check_trace(line: TraceLine<'_>, is_private: bool) {
    let shown = line.to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    if let (TraceLine::Client(text), true) = (line, is_private) {
        assert!(
            !SHOWN_PASSWORDS
                .iter()
                .any(|password| text.contains(password)),
            "{shown:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_runs_through() {
        let data = b"\0\0\0S220 mx\r\n\xffS250-mx\r\n250 PIPELINING\r\n\xffS250 a\r\n250 b\r\n550 c\r\n354 go\r\n\xff\
            S250 taken\r\n\xffma@example.com\nb@example.org\nc@example.org\n\nSubject: x\n\n.x";
        let (session, actions) = open(data);
        let mut session = session.unwrap();
        session.act(&actions[0]).unwrap();
        let witness = session.witness();
        assert_eq!(witness.taken(), ["b@example.org"]);
        let message = b"Subject: x\r\n\r\n..x\r\n.\r\n".to_vec();
        assert_eq!(
            witness.messages().collect::<Vec<_>>(),
            [&Sent::Lines(message)]
        );
    }

    #[test]
    fn chunks_are_put_together() {
        let data = std::fs::read("fuzz/seeds/session/chunked").unwrap();
        let (session, actions) = open(&data);
        let mut session = session.unwrap();
        let message = Sent::Chunks(b"Subject: x\r\n\r\n.x\r\n".to_vec());
        for (action, message) in actions
            .iter()
            .zip([message, Sent::Chunks(b"x\r\n".to_vec())])
        {
            session.act(action).unwrap();
            assert_eq!(session.witness().messages().collect::<Vec<_>>(), [&message]);
        }
        assert_eq!(session.witness().taken(), ["c@example.org"]);
    }

    // Field C4
    #[test]
    fn a_greeting_that_turns_into_a_refusal_is_answered_by_a_farewell() {
        let refused = b"\0\0\0S220-mx\r\n\xffS521-no\r\n521 no\r\n";
        let (session, _) = open(refused);
        assert!(session.err().unwrap().to_string().contains("521"));
    }

    #[test]
    #[should_panic(expected = "it went on although the server had said")]
    fn the_witness_looks_at_the_codes_of_a_greeting() {
        let mut witness = Witness::new(false);
        witness.server_said(b"220-mx\r\n521-no\r\n550 no\r\n");
        witness.client_said(b"QUIT\r\n");
    }

    #[test]
    #[should_panic(expected = "it went on although the server had said")]
    fn the_witness_looks_at_the_order() {
        let mut witness = Witness::new(false);
        witness.server_said(b"220 mx\r\n250-");
        witness.client_said(b"EHLO a\r\n");
    }

    #[test]
    fn a_refused_hello_takes_no_offers_away() {
        let mut witness = Witness::new(false);
        witness.server_said(b"220 mx\r\n");
        for reply in [&b"250-mx\r\n250 PIPELINING\r\n"[..], b"550 no\r\n"] {
            witness.client_said(b"EHLO a\r\n");
            witness.server_said(reply);
        }
        witness.client_said(b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
    }

    #[test]
    #[should_panic(expected = "behind [Hello]")]
    fn the_witness_looks_at_pipelining() {
        let mut witness = Witness::new(false);
        witness.server_said(b"220 mx\r\n");
        witness.client_said(b"EHLO a\r\nMAIL FROM:<>\r\n");
    }
}
