//! [`Transaction`]: MAIL, RCPT and DATA by hand.

use std::io::{self, Read, Write};

use crate::address::Address;
use crate::command_error::CommandError;
use crate::connection::SmtpConnection;
use crate::connection::drive::Pause;
use crate::connection::send::{parse_address, parse_sender};
use crate::connection::verdict::judge;
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::exchange::admission::{Facts, Inspection, announced, says_smtputf8, told};
use crate::exchange::error::Unsupported;
use crate::exchange::options;
use crate::exchange::transit::Framing;
use crate::exchange::{Exchange, Id};
use crate::net::body::Body;
use crate::outcome::Outcome;
use crate::parameter::{At, Parameter};
use crate::protocol::command;
use crate::reply::Reply;

/// One message step by step: the sender, each recipient with its reply, and then the message.
///
/// Dropping it cancels the message: the next transaction on the connection begins with RSET.
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
    id: Id,
    inspection: Option<Inspection>,
    /// MAIL said SMTPUTF8: addresses may have letters outside ASCII.
    is_utf8: bool,
}

impl SmtpConnection {
    /// Sends MAIL and begins a transaction: Python's `mail()`.
    ///
    /// An empty sender, or `<>`, is the null sender.
    ///
    /// # Errors
    ///
    /// [`Error::Address`]; [`Error::SenderRefused`].
    pub fn mail(&mut self, from: &str) -> Result<Transaction<'_>> {
        self.mail_with(from, [])
    }

    /// Sends MAIL with parameters such as `BODY=8BITMIME`, and begins a transaction.
    ///
    /// SMTPUTF8 is added if the sender has letters outside ASCII. If only a recipient has some,
    /// give the parameter yourself.
    ///
    /// ```no_run
    /// # fn send(smtp: &mut smtplib::SmtpConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = smtp.mail_with("alice@example.com", ["RET=HDRS".parse()?])?;
    /// transaction.rcpt_with("bob@example.org", ["NOTIFY=NEVER".parse()?])?;
    /// let outcome = transaction.data("Subject: Hi\n\nHi!\n".as_bytes())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`mail`](Self::mail), and [`Error::Unsupported`] if the server does not offer the
    /// extension of a parameter.
    pub fn mail_with(
        &mut self,
        from: &str,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<Transaction<'_>> {
        let envelope = Envelope::new(parse_sender(from)?, []);
        let envelope = parameters.into_iter().fold(envelope, Envelope::parameter);
        options::check(envelope.parameters(), At::Mail, &self.capabilities)?;
        self.check_required_tls(envelope.parameters())?;
        let facts = Facts::unknown(&self.capabilities);
        let announced = announced(&envelope, &facts, &self.capabilities)?;
        let is_utf8 = announced.smtputf8 || says_smtputf8(envelope.parameters());
        let sender = envelope.sender().map(|sender| told(sender, is_utf8));
        let mut line = Vec::new();
        let given = envelope.parameters();
        command::mail(&mut line, sender.as_deref(), given, &announced)?;
        let inspection = facts.inspection(&envelope, &self.capabilities);
        self.begin()?;
        self.claim_transaction()?;
        let mut exchange = self.begin_exchange(false);
        let id = exchange.open(&line);
        self.state.transactions += 1;
        let mut transaction = Transaction {
            connection: self,
            exchange,
            id,
            inspection,
            is_utf8,
        };
        transaction.drive(None)?;
        Ok(transaction)
    }
}

impl<'c> Transaction<'c> {
    /// Adds a recipient and returns the reply: Python's `rcpt()`.
    ///
    /// A refusal is `Ok`, too, so look at the reply.
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
    /// As [`rcpt`](Self::rcpt), and [`Error::Unsupported`] if the server does not offer the
    /// extension of a parameter.
    pub fn rcpt_with(
        &mut self,
        to: &str,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<Reply> {
        let address = parse_address(to)?;
        let parameters: Vec<Parameter> = parameters.into_iter().collect();
        options::check(&parameters, At::Rcpt, &self.connection.capabilities)?;
        self.check_utf8(&address)?;
        let mut line = Vec::new();
        let told = told(&address, self.is_utf8);
        command::rcpt(&mut line, &told, &parameters)?;
        self.begin()?;
        self.exchange.add(address, &line);
        self.drive(None)?;
        // Now everything queued has its reply.
        let newest = self.exchange.recipients().last();
        let reply = newest.and_then(|recipient| recipient.reply().cloned());
        reply.ok_or(Error::Closed)
    }

    /// Sends the message and ends the transaction: Python's `data()`.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecipients`]; [`Error::RecipientsRefused`]; [`Error::DataRefused`].
    /// [`Error::Source`] if the message cannot be read. [`Error::Content`] or
    /// [`Error::Unsupported`] if it cannot be sent unchanged. In the last three cases the
    /// connection is closed, and the server has accepted nothing.
    pub fn data(self, mut message: impl Read) -> Result<Outcome> {
        let mut writer = self.data_writer()?;
        match io::copy(&mut message, &mut writer) {
            Ok(_) => writer.finish(),
            Err(error) => Err(writer.fail(error)),
        }
    }

    /// Sends DATA and returns a writer for the message.
    ///
    /// # Errors
    ///
    /// As [`data`](Self::data), up to the message.
    pub fn data_writer(mut self) -> Result<DataWriter<'c>> {
        self.begin()?;
        if self.exchange.recipients().is_empty() {
            return Err(Error::NoRecipients);
        }
        self.exchange.complete();
        self.drive(None)?;
        let wire = &mut self.connection.wire;
        let body = Body::begin(wire, (self.id, Framing::Dot), false, self.inspection);
        Ok(DataWriter {
            connection: self.connection,
            exchange: self.exchange,
            body,
            is_over: false,
        })
    }

    /// Cancels the transaction with RSET now, instead of before the next one.
    ///
    /// # Errors
    ///
    /// As [`SmtpConnection::rset`].
    pub fn reset(self) -> Result<Reply> {
        self.connection.rset()
    }

    /// Without SMTPUTF8 at MAIL, no command may have a byte above 127 (RFC 6531, 3.3).
    fn check_utf8(&self, address: &Address) -> Result<()> {
        if self.is_utf8 || address.to_ascii().is_some() {
            Ok(())
        } else if self.connection.capabilities.has("SMTPUTF8") {
            Err(CommandError::Utf8.into())
        } else {
            Err(Unsupported::Utf8Address(Box::new(address.clone())).into())
        }
    }

    /// Between two calls the server may have closed the connection, or sent something without a
    /// command.
    fn begin(&mut self) -> Result<()> {
        let Err(error) = self.connection.begin() else {
            return Ok(());
        };
        let failure = self.connection.lose(&mut self.exchange, error);
        self.drive(failure)?;
        Err(Error::Closed)
    }

    /// Carries out what was queued, up to the message.
    fn drive(&mut self, failure: Option<Error>) -> Result<()> {
        match self.connection.carry_out(&mut self.exchange, failure) {
            Some(result) => Err(result.err().unwrap_or(Error::Closed)),
            None => Ok(()),
        }
    }
}

impl SmtpConnection {
    /// Runs the transaction until it needs a command or the message, or has a result.
    fn carry_out(
        &mut self,
        exchange: &mut Exchange,
        mut failure: Option<Error>,
    ) -> Option<Result<Outcome>> {
        loop {
            match self.drive(exchange) {
                Ok(Pause::Body(..) | Pause::Idle) => return None,
                Ok(Pause::Settled(_, end)) => {
                    self.settle(std::mem::take(exchange));
                    return Some(judge(end.verdict, end.outcome, failure));
                }
                Err(error) => failure = self.lose(exchange, error),
            }
        }
    }
}

/// Writes the message of a [`Transaction`] in any number of pieces; it implements [`Write`].
///
/// Line ends become CRLF and leading dots are escaped. Call [`finish`](Self::finish) at the end. If
/// you drop the writer without it, the connection is closed, so that the server does not accept half a
/// message.
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
    /// Ends the message and returns the result for each recipient.
    ///
    /// # Errors
    ///
    /// [`Error::DataRefused`]; the error of an earlier write; [`Error::Content`] and
    /// [`Error::Unsupported`] if the message cannot be sent unchanged. It is then certainly not
    /// delivered.
    pub fn finish(mut self) -> Result<Outcome> {
        let wire = &mut self.connection.wire;
        let finished = self.body.finish(wire, &mut self.exchange);
        self.conclude(finished)
    }

    /// Closes the connection, because the message could not be read.
    fn fail(mut self, error: io::Error) -> Error {
        let error = self.body.fail(&mut self.connection.wire, error);
        let result = self.conclude(Err(error));
        // The message has no end, so this is never `Ok`.
        result.map_or_else(|error| error, |_| Error::Closed)
    }

    fn conclude(&mut self, written: Result<()>) -> Result<Outcome> {
        self.is_over = true;
        let connection = &mut *self.connection;
        let failure = written
            .err()
            .and_then(|error| connection.lose(&mut self.exchange, error));
        let result = connection.carry_out(&mut self.exchange, failure);
        result.unwrap_or(Err(Error::Closed))
    }
}

impl Write for DataWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.body
            .write(&mut self.connection.wire, &mut self.exchange, octets)
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
