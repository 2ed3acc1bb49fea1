//! [`SendAll`]: many messages on one connection, without waiting between them.

use std::iter::FusedIterator;

use crate::connection::SmtpConnection;
use crate::connection::cargo::Consignment;
use crate::connection::rest::Rest;
use crate::connection::run::{Progress, Run};
use crate::error::{Error, Result};
use crate::outcome::Outcome;

impl SmtpConnection {
    /// Sends many messages, and returns an iterator over their results in the same order.
    ///
    /// With PIPELINING (RFC 2920), the next messages are sent before the replies to earlier ones
    /// arrive. With CHUNKING (RFC 3030), messages stream without a pause. A refused message does
    /// not affect the others.
    ///
    /// Messages are taken from the iterator when there is room for them. At most 1 MiB and 4096
    /// messages are on their way at a time. An iterator that does not promise another message
    /// ([`Iterator::size_hint`]) may wait for it, as one that reads a channel does: everything before it
    /// is sent first.
    ///
    /// Nothing is sent until you ask for the first result.
    ///
    /// ```no_run
    /// use smtplib::{Config, Message};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let readers = ["ann@example.org", "bob@example.org"];
    /// let messages = readers.map(|reader| {
    ///     Message::builder().from("news@example.com").to(reader).subject("News").text("Hi!\n").build()
    /// });
    /// let messages = messages.into_iter().collect::<Result<Vec<_>, _>>()?;
    ///
    /// let mut smtp = Config::new("mail.example.com").connect()?;
    /// for (message, result) in messages.iter().zip(smtp.send_all(&messages)) {
    ///     match result {
    ///         Ok(outcome) => println!("{}: {} accepted", message.message_id(), outcome.accepted().count()),
    ///         Err(error) => eprintln!("{}: {error}", message.message_id()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # When the connection is lost
    ///
    /// For each message on its way, the result says whether it was certainly not delivered
    /// ([`Error::delivery`]). Every later message gets [`Error::Closed`], so that none is lost
    /// silently. To send the rest on another connection, stop when [`SendAll::is_over`] returns
    /// true, and take [`SendAll::into_rest`]. [`Mailer::send_all`](crate::Mailer::send_all) does
    /// this for you.
    ///
    /// The same happens when the server allows no more messages on this connection (LIMITS, RFC
    /// 9422).
    pub fn send_all<'a, I>(&mut self, messages: I) -> SendAll<'_, 'a, I::IntoIter>
    where
        I: IntoIterator,
        I::Item: Into<Consignment<'a>>,
    {
        SendAll {
            unfit: self.begin().err(),
            run: Run::new(self, true),
            rest: Rest::new(messages.into_iter()),
            is_single: false,
        }
    }
}

/// The results of [`SmtpConnection::send_all`], one for each message, in the same order.
///
/// If you drop it early, it closes the connection unless every message that it took has a result.
///
/// ```no_run
/// use smtplib::{Config, Message};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let messages: Vec<Message> = Vec::new();
/// let mut smtp = Config::new("mail.example.com").connect()?;
/// let mut results = smtp.send_all(&messages).one_by_one(true);
/// while !results.is_over() {
///     let Some(result) = results.next() else { break };
///     println!("{}", if result.is_ok() { "sent" } else { "failed" });
/// }
/// let unsent = results.into_rest().count(); // for another connection
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent until you ask for a result"]
pub struct SendAll<'c, 'a, I> {
    run: Run<'a, &'c mut SmtpConnection>,
    /// Why the connection cannot be used.
    unfit: Option<Error>,
    rest: Rest<I>,
    is_single: bool,
}

impl<I> SendAll<'_, '_, I> {
    /// If true, waits for the result of each message before the next is sent; false by default.
    ///
    /// Use it for servers that fail when a command directly follows a message. It costs one or two
    /// round trips for each message.
    pub fn one_by_one(mut self, yes: bool) -> Self {
        self.is_single = yes;
        self
    }

    /// Returns true if the connection takes no further message, and all results were returned.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.run.is_over()
    }

    /// Returns the messages that were not taken from the iterator.
    ///
    /// The connection is closed if a message that was taken has no result yet.
    pub fn into_rest(self) -> I {
        self.rest.messages
    }
}

impl<'a, I> SendAll<'_, 'a, I>
where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    /// Continues until the oldest message has its result.
    fn advance(&mut self) -> Option<Result<Outcome>> {
        loop {
            match self.run.advance() {
                Progress::Result(result) => return Some(result),
                Progress::Room if self.is_single && self.run.wait() => {}
                Progress::Room if self.rest.may_wait() && !self.run.flush() => {}
                Progress::Room | Progress::Done => match self.rest.next(Some(&mut self.run)) {
                    Some(message) => self.run.push(message.into(), self.unfit.take()),
                    None if self.run.wait() => {}
                    None => return None,
                },
            }
        }
    }
}

impl<'a, I> Iterator for SendAll<'_, 'a, I>
where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    type Item = Result<Outcome>;

    fn next(&mut self) -> Option<Result<Outcome>> {
        self.rest.enter(Some(&mut self.run));
        let result = self.advance();
        self.rest.leave();
        result
    }
}

impl<'a, I> FusedIterator for SendAll<'_, 'a, I>
where
    I: FusedIterator,
    I::Item: Into<Consignment<'a>>,
{
}
