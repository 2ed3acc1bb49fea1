//! Sending: the envelope's facts, and the loop that carries an exchange out.

use std::io::{self, Read, Write};

use crate::address::Address;
use crate::config::Protocol;
use crate::connection::SmtpConnection;
use crate::envelope::Envelope;
use crate::error::{Error, Interrupted, Result};
use crate::exchange::admission::{BodyRules, Facts, check_offered, mail_parameters};
use crate::exchange::{Action, Aftermath, Exchange, Rules, Verdict};
use crate::net::body::{Body, BodyWriter};
use crate::outcome::Outcome;
use crate::protocol::command;
use crate::protocol::error::ProtocolError;
use crate::reply::Reply;
use crate::step::Step;

/// How much of a message from a reader is looked at before MAIL; most messages are known to their
/// end then.
const HEAD: u64 = 64 * 1024;

impl SmtpConnection {
    /// Sends a message: Python's `sendmail()`.
    ///
    /// The addresses are bare (`ann@example.org`); an empty sender, or `<>`, is the null
    /// reverse-path of bounces. The message is header, empty line and body; line ends become
    /// CRLF, leading dots are protected, and nothing else is changed. SIZE, 8BITMIME and
    /// SMTPUTF8 are used where they are needed and offered.
    ///
    /// # Errors
    ///
    /// Before anything is sent: [`Error::Address`], [`Error::NoRecipients`], [`Error::Content`],
    /// [`Error::TooLarge`], [`Error::Unsupported`]. From the server: [`Error::SenderRefused`],
    /// [`Error::RecipientsRefused`] if no recipient is left, [`Error::DataRefused`].
    /// [`Error::delivery`] tells whether the message may have been taken all the same.
    pub fn sendmail(
        &mut self,
        from: &str,
        to: impl IntoIterator<Item = impl AsRef<str>>,
        message: impl AsRef<[u8]>,
    ) -> Result<Outcome> {
        let sender = parse_sender(from)?;
        let recipients = to
            .into_iter()
            .map(|address| parse_address(address.as_ref()));
        let envelope = Envelope::new(sender, recipients.collect::<Result<Vec<_>>>()?);
        self.send_octets(&envelope, message.as_ref())
    }

    /// Sends a message from any reader, with all that an [`Envelope`] can say.
    ///
    /// A message of up to 64 KiB is known to its end before MAIL, as with
    /// [`sendmail`](Self::sendmail). Of a longer one the size is not announced, and it counts
    /// as 8-bit where the server offers 8BITMIME. If it turns out on the way that it breaks a
    /// rule, or the reader fails, the connection is cut without an end of data: the server has
    /// taken nothing.
    ///
    /// # Errors
    ///
    /// As [`sendmail`](Self::sendmail), and [`Error::Source`] if the reader fails.
    pub fn send(&mut self, envelope: &Envelope, mut message: impl Read) -> Result<Outcome> {
        let mut head = Vec::new();
        // One octet more tells whether there is a rest.
        let read = message.by_ref().take(HEAD + 1).read_to_end(&mut head);
        read.map_err(Error::Source)?;
        if head.len() as u64 <= HEAD {
            return self.send_octets(envelope, &head);
        }
        let mut facts = Facts::of(&head);
        facts.check(envelope)?;
        facts.is_8bit = facts.is_8bit || self.capabilities.has("8BITMIME");
        facts.size = None;
        self.deliver(envelope, &facts, |body| {
            body.write_all(&head)?;
            io::copy(&mut message, body).map(drop)
        })
    }

    fn send_octets(&mut self, envelope: &Envelope, message: &[u8]) -> Result<Outcome> {
        let facts = Facts::of(message);
        facts.check(envelope)?;
        self.deliver(envelope, &facts, |body| body.write_all(message))
    }

    /// One transaction from MAIL to the reply to the message.
    pub(crate) fn deliver(
        &mut self,
        envelope: &Envelope,
        facts: &Facts,
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()>,
    ) -> Result<Outcome> {
        if envelope.recipients().next().is_none() {
            return Err(Error::NoRecipients);
        }
        let mut exchange = self.new_exchange(envelope.is_all_required());
        self.queue_envelope(&mut exchange, envelope, facts)?;
        match facts.chunk {
            Some(_) => exchange.expect_chunk(),
            None => exchange.queue_data(),
        }
        let rules = facts.rules_for_the_rest(envelope, &self.capabilities);
        self.begin()?;
        // Until it has come to a good end, the next transaction has to begin with RSET.
        self.is_reset_owed = true;
        self.carry_out(exchange, facts.chunk, rules, write)
    }

    /// Queues MAIL and RCPT, or says what about them cannot be sent.
    fn queue_envelope(
        &self,
        exchange: &mut Exchange,
        envelope: &Envelope,
        facts: &Facts,
    ) -> Result<()> {
        let parameters = mail_parameters(envelope, facts, &self.capabilities)?;
        exchange.queue_mail(&command::mail(envelope.sender(), &parameters)?);
        for recipient in envelope.recipients_with_parameters() {
            check_offered(&recipient.parameters, &self.capabilities)?;
            let line = command::rcpt(&recipient.address, &recipient.parameters)?;
            exchange.queue_rcpt(recipient.address.clone(), &line);
        }
        Ok(())
    }

    /// An exchange by what the server offers, with the RSET that is owed in front.
    pub(crate) fn new_exchange(&self, require_all: bool) -> Exchange {
        let mut exchange = Exchange::new(Rules {
            pipelining: self.capabilities.has("PIPELINING"),
            lmtp: self.config.protocol == Protocol::Lmtp,
            require_all,
        });
        if self.is_reset_owed {
            exchange.queue_rset();
        }
        exchange
    }

    /// Carries an exchange out to its end.
    fn carry_out(
        &mut self,
        mut exchange: Exchange,
        chunk: Option<u64>,
        rules: Option<BodyRules>,
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()>,
    ) -> Result<Outcome> {
        let mut result = self.drive(&mut exchange);
        if let Ok(Pause::Body) = result {
            let body = match chunk {
                Some(size) => Body::chunk(&mut self.wire, size),
                None => Body::data(rules),
            };
            let written = self.write_body(body, write);
            result = settle_body(&mut exchange, written).and_then(|()| self.drive(&mut exchange));
        }
        self.conclude(exchange, result.map(drop))
    }

    /// Does what the exchange says until it needs something from the caller. This is the main loop
    /// of the crate.
    pub(crate) fn drive(&mut self, exchange: &mut Exchange) -> Result<Pause> {
        loop {
            match exchange.next() {
                Action::Send(step, commands) => self.wire.send(step, commands, None)?,
                Action::Read(step) => exchange.reply(self.wire.read_reply(step)?),
                Action::LoneDot => {
                    self.wire.lone_dot()?;
                    exchange.body_sent();
                }
                Action::Body => return Ok(Pause::Body),
                Action::Idle => return Ok(Pause::Idle),
                Action::Done => return Ok(Pause::Done),
            }
        }
    }

    fn write_body(
        &mut self,
        body: Body,
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()>,
    ) -> Result<()> {
        self.wire.check_quiet(Step::Body)?;
        let mut writer = BodyWriter::new(body, &mut self.wire);
        match write(&mut writer) {
            Ok(()) => writer.finish(),
            Err(error) => Err(writer.fail(error)),
        }
    }

    /// Turns the end of an exchange into a result, and remembers what the connection owes.
    pub(crate) fn conclude(&mut self, exchange: Exchange, result: Result<()>) -> Result<Outcome> {
        let (verdict, outcome, aftermath) = exchange.conclude();
        match aftermath {
            Aftermath::Clean => self.is_reset_owed = false,
            Aftermath::ResetOwed => self.is_reset_owed = true,
            Aftermath::Close if result.is_err() => self.wire.abort(),
            Aftermath::Close => self.wire.close(),
        }
        match verdict {
            Some(verdict) => judge(verdict, outcome),
            None => Err(interrupted(outcome, result.err().unwrap_or(Error::Closed))),
        }
    }
}

/// What an exchange needs before it can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The message.
    Body,
    /// Another command.
    Idle,
    /// Nothing: it is over.
    Done,
}

/// Notes that the end of the message was written, or what the server said while it was not.
pub(crate) fn settle_body(exchange: &mut Exchange, written: Result<()>) -> Result<()> {
    match written {
        Ok(()) => exchange.body_sent(),
        // The server has refused the message in the middle of it: that is an answer, not an
        // accident.
        Err(Error::Disconnected {
            last_words: Some(reply),
            ..
        }) if is_refusal(&reply) => {
            exchange.refused_in_body(&reply);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn is_refusal(reply: &Reply) -> bool {
    reply.code() != 421 && (reply.is_transient() || reply.is_permanent())
}

fn judge(verdict: Verdict, outcome: Outcome) -> Result<Outcome> {
    match verdict {
        Verdict::Sent => Ok(outcome),
        Verdict::SenderRefused(reply) => Err(Error::SenderRefused(reply)),
        Verdict::RecipientsRefused => Err(Error::RecipientsRefused(Box::new(outcome))),
        Verdict::DataRefused => Err(Error::DataRefused(Box::new(outcome))),
        Verdict::Broken(step, reply) => Err(interrupted(outcome, Error::refused(step, reply))),
        Verdict::Unexpected(step, code) => {
            let source = ProtocolError::UnexpectedCode(code);
            let error = Error::protocol(step, source);
            // Before the message, nobody can say which of the answers belong to whom; 354 has
            // proved that they do.
            Err(match step {
                Step::EndOfData => interrupted(outcome, error),
                _ => error,
            })
        }
    }
}

/// The failure, with what is known of the recipients if any of them had an answer.
fn interrupted(outcome: Outcome, failure: Error) -> Error {
    if outcome.recipients().iter().any(|r| r.reply().is_some()) {
        Error::Interrupted(Box::new(Interrupted { outcome, failure }))
    } else {
        failure
    }
}

/// A sender, or the null reverse-path.
pub(crate) fn parse_sender(text: &str) -> Result<Option<Address>> {
    if matches!(text, "" | "<>") {
        Ok(None)
    } else {
        parse_address(text).map(Some)
    }
}

pub(crate) fn parse_address(text: &str) -> Result<Address> {
    text.parse().map_err(|reason| Error::Address {
        address: text.into(),
        reason,
    })
}
