//! Makes errors of failed reads, writes and handshakes, and recognizes a farewell.

use std::io::{self, ErrorKind};

use crate::error::{Error, TlsError};
use crate::net::stream::{StreamFailure, TlsFailure};
use crate::protocol::line::{self, LineBuffer};
use crate::protocol::parser::ReplyParser;
use crate::reply::{Code, Reply};
use crate::step::Step;

/// The error for a failed read, write or handshake. `hiding` masks the secrets in a reply.
pub(super) fn failed(
    step: Step,
    failure: StreamFailure,
    hiding: impl FnOnce(Reply) -> Reply,
) -> Error {
    match failure {
        StreamFailure::Socket(error) => io_error(step, error),
        StreamFailure::Tls(failure) => tls_error(step, failure, hiding),
        StreamFailure::Unset(error) => Error::io(step, error),
    }
}

fn io_error(step: Step, error: io::Error) -> Error {
    match error.kind() {
        // On Unix, a socket with its own timeout returns `WouldBlock`.
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Error::timeout(step),
        ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::UnexpectedEof
        | ErrorKind::WriteZero => Error::disconnected(step, None),
        _ => Error::io(step, error),
    }
}

fn tls_error(step: Step, failure: TlsFailure, hiding: impl FnOnce(Reply) -> Reply) -> Error {
    let mut input = LineBuffer::default();
    input.extend(&failure.in_clear);
    let reply = ReplyParser::default().next_reply(&mut input, line::MAX_LINE);
    // A reply during AUTH may repeat a secret in a form that nobody knows.
    let reply = reply.ok().flatten().filter(|_| step != Step::Auth);
    let reply = reply.map(hiding);
    let error = TlsError::new(step, failure.source, failure.is_verdict, reply);
    Error::Tls(Box::new(error))
}

/// How many characters of a line that breaks the protocol are kept for the error.
const MAX_OFFENDING: usize = 500;

/// Whether a reply without a command means that the server is leaving.
pub(super) fn is_farewell(reply: &Reply, is_over: bool) -> bool {
    let code = reply.code();
    code == Code::SERVICE_CLOSING
        || is_over && (code == 221 || code.is_transient() || code.is_permanent())
}

/// The beginning of what the server said, for an error.
pub(super) fn shortened(text: &str) -> Box<str> {
    text.trim_end().chars().take(MAX_OFFENDING).collect()
}
