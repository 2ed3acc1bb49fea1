//! A mailer: which connection a message uses, and what is tried again and what is not.
mod batch;
mod crowd;
mod pool;
mod retry;
mod stale;
mod stress;
// Elsewhere a thread with a stack of any size may be started.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod threadless;

use crate::peer::{Peer, Script};
use crate::support::sending::{config, session};
use smtplib::{Error, Mailer, Outcome};

/// One message to Ann, in lock-step, and this reply to it.
pub(crate) fn message(reply: &str) -> String {
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

/// A connection that gets this many messages, and then QUIT.
fn carries(messages: usize) -> String {
    session(&[], &(message("250 taken").repeat(messages) + LEAVES))
}

/// The client sends QUIT, and may wait for the reply or not.
const LEAVES: &str = "C: QUIT\nCclose\n";

/// A peer with these connections, one after the other.
fn connections<T: AsRef<str>>(dialogs: impl IntoIterator<Item = T>) -> Peer {
    Script::sessions(dialogs).listen()
}

fn mailer(peer: &Peer) -> Mailer {
    Mailer::new(config(peer))
}

/// Sends `Hi!` to Ann.
fn send(mailer: &Mailer) -> Result<Outcome, Error> {
    mailer.sendmail("me@client.example", "ann@example.org", "Hi!\r\n")
}

/// The same, and asserts that Ann gets it.
fn sent(mailer: &Mailer) {
    assert!(send(mailer).unwrap().is_complete());
}
