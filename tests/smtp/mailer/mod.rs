//! A mailer: which connection a message takes, what is tried again, and what never is.
mod batch;
mod crowd;
mod pool;
mod retry;
mod stale;
mod stress;

use crate::peer::{Peer, Script};
use crate::support::sending::{config, session};
use smtplib::{Error, Mailer, Outcome};

/// One message to Ann, in lock-step, and this reply to it.
fn message(reply: &str) -> String {
    format!(
        "C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata
        S: {reply}
        "
    )
}

/// A connection that carries so many messages, and then hears QUIT.
fn carries(messages: usize) -> String {
    session(&[], &(message("250 taken").repeat(messages) + LEAVES))
}

/// The client says QUIT, and may or may not wait for the reply.
const LEAVES: &str = "C: QUIT\nCclose\n";

/// A peer with these connections, one after the other.
fn connections<T: AsRef<str>>(dialogs: impl IntoIterator<Item = T>) -> Peer {
    Script::sessions(dialogs).listen()
}

fn mailer(peer: &Peer) -> Mailer {
    Mailer::new(config(peer))
}

/// `Hi!` to Ann.
fn send(mailer: &Mailer) -> Result<Outcome, Error> {
    mailer.sendmail("me@client.example", "ann@example.org", "Hi!\r\n")
}

/// The same, and Ann gets it.
fn sent(mailer: &Mailer) {
    assert!(send(mailer).unwrap().is_complete());
}
