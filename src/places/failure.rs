//! [`Failure`]: the failure that a test asks for.

use std::borrow::Cow;

use crate::places::store::Answer;

/// A failure for the next message to an [`Outbox`](crate::Outbox), set with
/// [`Outbox::fail_next`](crate::Outbox::fail_next).
///
/// ```
/// use smtplib::outbox::Failure;
/// use smtplib::{Mailer, Message};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let message = Message::builder().from("a@example.com").to("b@example.org").text("Hi!\n").build()?;
/// let (mailer, outbox) = Mailer::outbox();
/// outbox.fail_next(Failure::message(452, "4.3.1 disk full"));
/// assert!(mailer.send(&message).unwrap_err().is_transient());
/// # Ok(())
/// # }
/// ```
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
    /// Refuses the next connection: connecting fails with [`Error::Io`](crate::Error::Io).
    ///
    /// An open connection is lost before the next message, as if the server were restarted.
    #[must_use]
    pub fn connect() -> Self {
        Self(Kind::Connect)
    }

    /// Refuses the sender with this code and text:
    /// [`Error::SenderRefused`](crate::Error::SenderRefused).
    ///
    /// The code is sent unchanged, and 421 closes the connection.
    #[must_use]
    pub fn sender(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Sender(Answer::new(code, text)))
    }

    /// Takes the message and refuses it with this code and text:
    /// [`Error::DataRefused`](crate::Error::DataRefused).
    ///
    /// The code is sent unchanged, and 421 closes the connection.
    #[must_use]
    pub fn message(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Message(Answer::new(code, text)))
    }

    /// Loses the connection in the middle of the message, which is certainly not delivered.
    #[must_use]
    pub fn lost_before_end() -> Self {
        Self(Kind::LostBeforeEnd)
    }

    /// Loses the connection after the message, before the reply:
    /// [`Delivery::Unknown`](crate::Delivery::Unknown).
    ///
    /// The outbox has the message. If the program sends it again, it is delivered twice, and the
    /// test sees both.
    #[must_use]
    pub fn lost_after_end() -> Self {
        Self(Kind::LostAfterEnd)
    }

    /// Takes the message and does not reply: [`Error::Interrupted`](crate::Error::Interrupted) with
    /// a timeout inside, and [`Delivery::Unknown`](crate::Delivery::Unknown).
    ///
    /// The test does not wait. The outbox has the message, as with
    /// [`lost_after_end`](Self::lost_after_end).
    #[must_use]
    pub fn timeout() -> Self {
        Self(Kind::Timeout)
    }
}
