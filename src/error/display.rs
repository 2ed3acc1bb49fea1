//! The sentences.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::endpoint::{AtServer, Endpoint, ServerName};
use crate::error::error::{Error, refusals};
use crate::error::gave_up::GaveUp;
use crate::error::interrupted::Interrupted;
use crate::error::seconds::Seconds;
use crate::outcome::{Outcome, RecipientOutcome};
use crate::protocol::error::ProtocolError;
use crate::reply::{Reply, Shown};
use crate::step::Step;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, reason } => {
                write!(f, "\"{}\" is not an address: {reason}", Shown(address))
            }
            Self::AuthFailed(failure) => failure.fmt(f),
            Self::Busy {
                waited,
                connections,
            } => fmt_busy(*waited, *connections, f),
            Self::Closed => f.write_str("the connection is closed: open another one"),
            Self::Command(source) => source.fmt(f),
            Self::Config(source) => source.fmt(f),
            Self::Content(source) => source.fmt(f),
            Self::Credentials(source) => source.fmt(f),
            Self::DataRefused(outcome) => fmt_data_refused(outcome, f),
            Self::Disconnected {
                step,
                last_words,
                server,
            } => fmt_disconnected(*step, last_words.as_deref(), server, f),
            Self::GaveUp(last) => last.fmt(f),
            Self::Interrupted(interrupted) => interrupted.fmt(f),
            Self::Io {
                step,
                source,
                server,
            } => fmt_io(*step, source, server, f),
            Self::Message(source) => source.fmt(f),
            Self::NoRecipients => f.write_str("the message has no recipients: add at least one"),
            Self::PlaintextAuth { server } => fmt_plaintext_auth(server, f),
            Self::Protocol {
                step,
                source,
                line,
                server,
            } => fmt_protocol(*step, *source, line, server, f),
            Self::RecipientsRefused(outcome) => fmt_refused(outcome, f),
            Self::Refused {
                step,
                reply,
                server,
            } => fmt_refusal(*step, reply, server, f),
            Self::SenderRefused(reply) => fmt_sender(reply, f),
            Self::Source(source) => write!(f, "the message could not be read: {source}"),
            Self::Timeout {
                step,
                is_begun,
                server,
            } => fmt_timeout(*step, *is_begun, server, f),
            Self::Tls(failure) => failure.fmt(f),
            Self::Token(source) => {
                write!(f, "could not get a token to log in: {source}")
            }
            Self::TooLarge { size, limit } => fmt_too_large(*size, *limit, f),
            Self::UnknownHost { host } => fmt_unknown_host(host, f),
            Self::Unsupported(source) => source.fmt(f),
        }
    }
}

fn fmt_busy(waited: Duration, connections: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let waited = Seconds(waited);
    write!(
        f,
        "none of the mailer's {connections} connections became free in {waited} s: wait longer, or allow more connections"
    )
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "gave up after {} attempts: {}",
            self.attempts, self.failure
        )
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.outcome.recipients().len();
        let known = self.outcome.accepted().count() + refusals(&self.outcome).count();
        self.failure.fmt(f)?;
        if known == 0 {
            return Ok(());
        }
        write!(f, " (the result for {known} of {count} recipients is known")?;
        if let Some(first) = refusals(&self.outcome).next() {
            write!(f, ", first refused: ")?;
            fmt_recipient(first, f)?;
        }
        f.write_str(")")
    }
}

fn fmt_sender(reply: &Reply, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the server refused the sender: {reply}")?;
    if wants_login(reply) {
        f.write_str("; it wants a login first: give credentials")?;
    }
    Ok(())
}

/// 530 is said before a login (RFC 4954, 6), and before STARTTLS (RFC 3207, 4).
fn wants_login(reply: &Reply) -> bool {
    reply.code() == 530 && !reply.text().to_ascii_uppercase().contains("TLS")
}

/// A moment in a sentence.
struct At(Step);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Step::Idle => f.write_str("before the next command"),
            step => write!(f, "at {step}"),
        }
    }
}

fn fmt_data_refused(outcome: &Outcome, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match outcome.reply() {
        Some(reply) => write!(f, "the server refused the message: {reply}"),
        None => f.write_str("the server refused the message"),
    }
}

fn fmt_disconnected(
    step: Step,
    last_words: Option<&Reply>,
    server: &Option<Box<Endpoint>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (server, at) = (ServerName(server), At(step));
    match (step, last_words) {
        (_, Some(reply)) => write!(f, "{server} closed the connection {at}, saying: {reply}"),
        (Step::EndOfData, None) => f.write_str(
            "the server closed the connection without saying whether it took the message: sending again may duplicate it",
        ),
        (Step::Auth, None) => write!(
            f,
            "{server} closed the connection at AUTH: most likely it does not know this user name and password"
        ),
        (_, None) => write!(f, "{server} closed the connection {at}"),
    }
}

fn fmt_io(
    step: Step,
    source: &io::Error,
    server: &Option<Box<Endpoint>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let server = ServerName(server);
    match step {
        Step::Connect => write!(f, "could not connect to {server}: {source}"),
        step => write!(
            f,
            "the connection to {server} failed {}: {source}",
            At(step)
        ),
    }
}

fn fmt_plaintext_auth(server: &Option<Box<Endpoint>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "logging in{} without TLS would show the password to anyone who can read the connection: use implicit TLS, or STARTTLS where it is offered",
        AtServer(server)
    )
}

fn fmt_protocol(
    step: Step,
    source: ProtocolError,
    line: &str,
    server: &Option<Box<Endpoint>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let server = ServerName(server);
    write!(f, "{server} broke the protocol {}: {source}", At(step))?;
    fmt_line(source, line, f)
}

fn fmt_refusal(
    step: Step,
    reply: &Reply,
    server: &Option<Box<Endpoint>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let server = ServerName(server);
    if step == Step::Greeting {
        return write!(f, "{server} refused the connection: {reply}");
    }
    write!(f, "{server} refused {step}: {reply}")?;
    // 500 and 502: no such command (RFC 5321, 4.2.4).
    match step {
        Step::Hello if matches!(reply.code().as_u16(), 500 | 502) => {
            f.write_str("; does this port speak LMTP?")
        }
        Step::Lhlo if matches!(reply.code().as_u16(), 500 | 502) => {
            f.write_str("; does this port speak SMTP?")
        }
        _ => Ok(()),
    }
}

/// The line that broke the protocol, and what other protocol it looks like.
fn fmt_line(source: ProtocolError, line: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if line.is_empty() {
        return Ok(());
    }
    write!(f, ": \"{}\"", Shown(line))?;
    if source != ProtocolError::BadCode {
        return Ok(());
    }
    match line.split(' ').next().unwrap_or_default() {
        "*" => f.write_str("; is this an IMAP port?"),
        "+OK" | "-ERR" => f.write_str("; is this a POP3 port?"),
        word if word.starts_with("HTTP/") => f.write_str("; is this a web server?"),
        word if word.starts_with("SSH-") => f.write_str("; is this an SSH port?"),
        word if word.starts_with(['\u{15}', '\u{16}']) => {
            f.write_str("; does this port speak TLS from the first byte?")
        }
        _ => Ok(()),
    }
}

/// Who was refused and why; many are counted, not listed.
fn fmt_refused(outcome: &Outcome, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = outcome.recipients().len();
    let mut refused = refusals(outcome);
    let (Some(first), more) = (refused.next(), refused.count()) else {
        return f.write_str("the server refused all recipients");
    };
    if more + 1 == count {
        f.write_str("the server refused ")?;
        f.write_str(if count == 1 {
            "the recipient "
        } else {
            "all recipients, first "
        })?;
    } else {
        write!(
            f,
            "the server refused {} of {count} recipients, first ",
            more + 1
        )?;
    }
    fmt_recipient(first, f)
}

fn fmt_recipient(recipient: &RecipientOutcome, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match recipient.reply() {
        Some(reply) => write!(f, "<{}>: {reply}", recipient.address()),
        None => write!(f, "<{}>", recipient.address()),
    }
}

fn fmt_too_large(size: u64, limit: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "the message has {size} bytes, and the server takes at most {limit}"
    )
}

fn fmt_timeout(
    step: Step,
    is_begun: bool,
    server: &Option<Box<Endpoint>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let server = ServerName(server);
    match step {
        Step::Connect => write!(f, "could not connect to {server} in time"),
        Step::Greeting if is_begun => write!(f, "{server} did not finish its greeting in time"),
        Step::Greeting => write!(
            f,
            "{server} sent no greeting in time: does this port speak TLS from the first byte?"
        ),
        Step::EndOfData => f.write_str(
            "the server did not say in time whether it took the message: sending again may duplicate it",
        ),
        _ if is_begun => write!(f, "{server} did not finish its reply in time {}", At(step)),
        _ => write!(f, "{server} took too long {}", At(step)),
    }
}

fn fmt_unknown_host(host: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "there is no host named {}: is the name right, and is this machine online?",
        Shown(host)
    )
}
