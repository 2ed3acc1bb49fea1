//! [`Failure`]: what a test has go wrong.

use std::borrow::Cow;

use crate::places::store::Answer;

/// What goes wrong with the next message to an [`Outbox`](crate::Outbox), by
/// [`Outbox::fail_next`](crate::Outbox::fail_next).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Sender(Answer),
    Message(Answer),
    LostBeforeEnd,
    LostAfterEnd,
    Timeout,
}

impl Failure {
    /// The server refuses to connect: connecting fails with [`Error::Io`](crate::Error::Io).
    ///
    /// A connection that is open is lost before the next message, as when a server is restarted.
    #[must_use]
    pub fn connect() -> Self {
        Self(Kind::Connect)
    }

    /// The server refuses the sender with this code and text:
    /// [`Error::SenderRefused`](crate::Error::SenderRefused).
    ///
    /// The code goes out as it is, and 421 closes the connection.
    #[must_use]
    pub fn sender(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Sender(Answer::new(code, text)))
    }

    /// The server gets the message and refuses it with this code and text:
    /// [`Error::DataRefused`](crate::Error::DataRefused).
    ///
    /// The code goes out as it is, and 421 closes the connection.
    #[must_use]
    pub fn message(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Message(Answer::new(code, text)))
    }

    /// The connection is lost while the message is on its way: it is certainly not delivered.
    #[must_use]
    pub fn lost_before_end() -> Self {
        Self(Kind::LostBeforeEnd)
    }

    /// The connection is lost before the server has said whether it took the message:
    /// [`Delivery::Unknown`](crate::Delivery::Unknown).
    ///
    /// The outbox has the message. A program that sends it again delivers it twice, and a test can
    /// see that.
    #[must_use]
    pub fn lost_after_end() -> Self {
        Self(Kind::LostAfterEnd)
    }

    /// The server takes the message and says nothing: [`Error::Timeout`](crate::Error::Timeout), and
    /// [`Delivery::Unknown`](crate::Delivery::Unknown). No time passes in the test.
    ///
    /// The outbox has the message, as with [`lost_after_end`](Self::lost_after_end).
    #[must_use]
    pub fn timeout() -> Self {
        Self(Kind::Timeout)
    }
}
