//! [`Step`]: the steps of a session.

use std::fmt;

/// A step of a session. Errors name the step at which they happened. The steps are in the order of
/// the protocol.
///
/// ```
/// use smtplib::Error;
/// use smtplib::protocol::Step;
///
/// let error = Error::timeout(Step::Greeting);
/// assert_eq!(error.step(), Some(Step::Greeting));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Opening the TCP connection or the Unix socket.
    Connect,
    /// The server's greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// LHLO, the EHLO of LMTP.
    Lhlo,
    /// The STARTTLS command; the handshake is [`Handshake`](Self::Handshake).
    StartTls,
    /// The TLS handshake.
    Handshake,
    /// AUTH, with all its challenges and responses.
    Auth,
    /// MAIL: the sender.
    Mail,
    /// RCPT: a recipient.
    Rcpt,
    /// The DATA command; the message is [`Body`](Self::Body).
    Data,
    /// The message, up to its end.
    Body,
    /// The reply to the whole message.
    EndOfData,
    /// RSET: cancelling a transaction.
    Reset,
    /// Between commands: the server sent something or closed the connection without a command.
    Idle,
    /// Any other command.
    Command,
    /// QUIT.
    Quit,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the connection attempt",
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::Lhlo => "LHLO",
            Self::StartTls => "STARTTLS",
            Self::Handshake => "the TLS handshake",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Body => "the message",
            Self::EndOfData => "the end of the message",
            Self::Reset => "RSET",
            Self::Idle => "rest",
            Self::Command => "the command",
            Self::Quit => "QUIT",
        })
    }
}
