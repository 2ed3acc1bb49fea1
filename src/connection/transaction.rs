//! [`Transaction`]: MAIL, RCPT and DATA by hand.

use std::io::{self, Read, Write};

use crate::address::Address;
use crate::command_error::CommandError;
use crate::connection::SmtpConnection;
use crate::connection::send::{Pause, parse_address, parse_sender, settle_body};
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::exchange::admission::{BodyRules, Facts, check_offered, mail_parameters};
use crate::exchange::error::Unsupported;
use crate::exchange::{Exchange, Rules};
use crate::net::body::Body;
use crate::outcome::Outcome;
use crate::parameter::Parameter;
use crate::protocol::command;
use crate::reply::Reply;
use crate::step::Step;

/// A transaction by hand: recipient by recipient, each with its answer, and then the message.
///
/// Dropping it calls it off: the next transaction on the connection begins with RSET.
///
/// ```no_run
/// # fn main() -> Result<(), smtplib::Error> {
/// # let mut smtp = smtplib::SmtpConnection::connect("localhost", 25)?;
/// let mut transaction = smtp.mail("news@example.com")?;
/// for to in ["ann@example.org", "bob@example.org"] {
///     println!("{to}: {}", transaction.rcpt(to)?);
/// }
/// let outcome = transaction.data("Subject: Hi\n\nHi!\n".as_bytes())?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent until `data` is called"]
#[derive(Debug)]
pub struct Transaction<'c> {
    connection: &'c mut SmtpConnection,
    exchange: Exchange,
    rules: Option<BodyRules>,
    /// MAIL said SMTPUTF8: addresses may have letters outside ASCII.
    is_utf8: bool,
}

impl SmtpConnection {
    /// Begins a transaction by hand: Python's `mail()`. An empty sender, or `<>`, is the null
    /// reverse-path.
    ///
    /// # Errors
    ///
    /// [`Error::Address`]; [`Error::SenderRefused`].
    pub fn mail(&mut self, from: &str) -> Result<Transaction<'_>> {
        self.mail_with(from, [])
    }

    /// Begins a transaction by hand, with parameters of MAIL such as `BODY=8BITMIME`.
    ///
    /// A sender with letters outside ASCII brings SMTPUTF8 by itself; for such recipients give the
    /// parameter.
    ///
    /// # Errors
    ///
    /// As [`mail`](Self::mail), and [`Error::Unsupported`] if the server does not offer what a
    /// parameter belongs to.
    pub fn mail_with(
        &mut self,
        from: &str,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<Transaction<'_>> {
        let envelope = Envelope::new(parse_sender(from)?, []);
        let envelope = parameters.into_iter().fold(envelope, Envelope::parameter);
        let facts = Facts::unknown(&self.capabilities);
        let parameters = mail_parameters(&envelope, &facts, &self.capabilities)?;
        let line = command::mail(envelope.sender(), &parameters)?;
        let rules = facts.rules_for_the_rest(&envelope, &self.capabilities);
        self.begin()?;
        let mut exchange = self.new_exchange(false);
        exchange.queue_mail(&line);
        self.is_reset_owed = true;
        let mut transaction = Transaction {
            connection: self,
            exchange,
            rules,
            is_utf8: parameters.iter().any(|p| p.keyword() == "SMTPUTF8"),
        };
        transaction.drive()?;
        Ok(transaction)
    }
}

impl<'c> Transaction<'c> {
    /// Adds a recipient: Python's `rcpt()`. A refusal is an answer, too, and therefore `Ok`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`]; [`Error::Unsupported`] and [`Error::Command`] for an address with
    /// letters outside ASCII if MAIL went without SMTPUTF8; [`Error::Interrupted`] if the
    /// connection ends, for instance by 421.
    pub fn rcpt(&mut self, to: &str) -> Result<Reply> {
        self.rcpt_with(to, [])
    }

    /// Adds a recipient with parameters such as `NOTIFY=NEVER`.
    ///
    /// # Errors
    ///
    /// As [`rcpt`](Self::rcpt), and [`Error::Unsupported`] if the server does not offer what a
    /// parameter belongs to.
    pub fn rcpt_with(
        &mut self,
        to: &str,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<Reply> {
        let address = parse_address(to)?;
        let parameters: Vec<Parameter> = parameters.into_iter().collect();
        check_offered(&parameters, &self.connection.capabilities)?;
        self.check_utf8(&address)?;
        let line = command::rcpt(&address, &parameters)?;
        self.begin()?;
        self.exchange.queue_rcpt(address, &line);
        self.drive()?;
        // Driving ends with an answer to everything queued.
        self.exchange
            .last_rcpt_reply()
            .cloned()
            .ok_or(Error::Closed)
    }

    /// Sends the message and ends the transaction: Python's `data()`.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecipients`]; [`Error::RecipientsRefused`]; [`Error::DataRefused`];
    /// [`Error::Source`] if the message cannot be read, and [`Error::Content`] or
    /// [`Error::Unsupported`] if it is not fit to be sent: the connection is cut then, and the
    /// server has taken nothing.
    pub fn data(self, mut message: impl Read) -> Result<Outcome> {
        let mut writer = self.data_writer()?;
        match io::copy(&mut message, &mut writer) {
            Ok(_) => writer.finish(),
            Err(error) => Err(writer.fail(error)),
        }
    }

    /// Sends DATA and hands out a writer for the message.
    ///
    /// # Errors
    ///
    /// As [`data`](Self::data), up to the message.
    pub fn data_writer(mut self) -> Result<DataWriter<'c>> {
        if !self.exchange.has_recipients() {
            return Err(Error::NoRecipients);
        }
        self.begin()?;
        self.exchange.queue_data();
        self.drive()?;
        let quiet = self.connection.wire.check_quiet(Step::Body);
        quiet.or_else(|error| self.end(Err(error)))?;
        let body = Body::data(self.rules);
        Ok(DataWriter {
            connection: self.connection,
            exchange: self.exchange,
            body,
            is_over: false,
        })
    }

    /// Calls the transaction off with RSET now, instead of before the next one.
    ///
    /// # Errors
    ///
    /// As [`SmtpConnection::rset`].
    pub fn reset(self) -> Result<()> {
        self.connection.reset()
    }

    /// Without SMTPUTF8 at MAIL, no octet above 127 may be in a command (RFC 6531, 3.3).
    fn check_utf8(&self, address: &Address) -> Result<()> {
        if address.is_ascii() || self.is_utf8 {
            Ok(())
        } else if self.connection.capabilities.has("SMTPUTF8") {
            Err(CommandError::Utf8.into())
        } else {
            Err(Unsupported::Utf8Address(Box::new(address.clone())).into())
        }
    }

    /// Between two calls the server may have gone, or have said something that nobody asked for.
    fn begin(&mut self) -> Result<()> {
        let begun = self.connection.begin();
        begun.or_else(|error| self.end(Err(error)))
    }

    /// Carries out what was queued, as far as it goes without the message.
    fn drive(&mut self) -> Result<()> {
        match self.connection.drive(&mut self.exchange) {
            Ok(Pause::Body | Pause::Idle) => Ok(()),
            Ok(Pause::Done) => self.end(Ok(())),
            Err(error) => self.end(Err(error)),
        }
    }

    fn end(&mut self, result: Result<()>) -> Result<()> {
        let exchange = take(&mut self.exchange);
        self.connection.conclude(exchange, result).map(drop)
    }
}

/// Takes the message of a [`Transaction`], in as many pieces as the caller likes.
///
/// Line ends become CRLF and leading dots are protected on the way. Dropping it without
/// [`finish`](Self::finish) cuts the connection: a message that was begun cannot be called off in
/// any other way, and must not be taken for a whole one.
///
/// ```no_run
/// use std::io::Write;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut smtp = smtplib::SmtpConnection::connect("localhost", 25)?;
/// let mut transaction = smtp.mail("news@example.com")?;
/// transaction.rcpt("ann@example.org")?;
/// let mut message = transaction.data_writer()?;
/// writeln!(message, "Subject: Numbers\n")?;
/// for number in 1..=3 {
///     writeln!(message, "{number}")?;
/// }
/// let outcome = message.finish()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the message is not complete until `finish` is called"]
#[derive(Debug)]
pub struct DataWriter<'c> {
    connection: &'c mut SmtpConnection,
    exchange: Exchange,
    body: Body,
    is_over: bool,
}

impl DataWriter<'_> {
    /// Ends the message and reads the server's answer to it.
    ///
    /// # Errors
    ///
    /// [`Error::DataRefused`]; what went wrong while writing; [`Error::Content`] and
    /// [`Error::Unsupported`] if the message is not fit to be sent, [`Error::delivery`] being
    /// `NotDelivered` then.
    pub fn finish(mut self) -> Result<Outcome> {
        let written = self.body.finish(&mut self.connection.wire);
        let result = settle_body(&mut self.exchange, written)
            .and_then(|()| self.connection.drive(&mut self.exchange));
        self.is_over = true;
        self.connection
            .conclude(take(&mut self.exchange), result.map(drop))
    }

    /// The message could not be read: the connection is cut.
    fn fail(mut self, error: io::Error) -> Error {
        let error = self.body.fail(&mut self.connection.wire, error);
        let settled = settle_body(&mut self.exchange, Err(error));
        let result = self.connection.conclude(take(&mut self.exchange), settled);
        // `Ok` cannot be: nothing ended the message.
        result.map_or_else(|error| error, |_| Error::Closed)
    }
}

impl Write for DataWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.body.write(&mut self.connection.wire, octets)
    }

    /// Does nothing: the message is written in pieces of a size that suits the network.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for DataWriter<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.connection.wire.abort();
        }
    }
}

/// Takes the exchange out of a transaction that has ended.
fn take(exchange: &mut Exchange) -> Exchange {
    std::mem::replace(exchange, Exchange::new(Rules::default()))
}
