//! Single commands.

use crate::connection::SmtpConnection;
use crate::error::{Error, Result};
use crate::exchange::error::Unsupported;
use crate::protocol::command;
use crate::protocol::error::ProtocolError;
use crate::reply::{Code, Reply};
use crate::step::Step;

impl SmtpConnection {
    /// Sends any command and returns the reply, whatever its code: Python's `docmd()`.
    ///
    /// Commands that change the state of the connection are refused, because they have their own
    /// methods. A reply that asks for more (3yz) is an error.
    ///
    /// ```no_run
    /// # fn ask(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
    /// let reply = smtp.command("XQUEUE alice")?;
    /// println!("{} {}", reply.code(), reply.text());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Command`] before anything is sent; [`Error::Refused`] for 421; [`Error::Protocol`]
    /// for 3yz.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        self.command_line(line.to_owned())
    }

    fn command_line(&mut self, line: String) -> Result<Reply> {
        let octets = command::custom(line)?;
        if !octets.is_ascii() && !self.capabilities.smtputf8() {
            return Err(Unsupported::Extension("SMTPUTF8".into()).into());
        }
        self.begin()?;
        self.ask(Step::Command, &octets)
    }

    /// Cancels the current transaction with RSET and returns the reply: Python's `rset()`.
    ///
    /// TLS, login and capabilities stay.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; the connection is closed then, because its state is unknown.
    pub fn rset(&mut self) -> Result<Reply> {
        self.begin()?;
        self.reset()
    }

    pub(crate) fn reset(&mut self) -> Result<Reply> {
        let reply = self.ask(Step::Reset, b"RSET\r\n")?;
        if !reply.is_positive() {
            self.wire.close();
            return Err(Error::refused(Step::Reset, reply));
        }
        self.state.is_reset_owed = false;
        Ok(reply)
    }

    /// Sends NOOP to check that the server is still there, and returns the reply: Python's
    /// `noop()`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], and everything that can happen to a connection.
    pub fn noop(&mut self) -> Result<Reply> {
        let reply = self.command("NOOP")?;
        if reply.is_positive() {
            Ok(reply)
        } else {
            Err(self.refused(Step::Command, reply))
        }
    }

    /// Sends VRFY to ask whether a user exists, and returns the reply: Python's `verify()`.
    ///
    /// The code 252 means that the server does not say.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn vrfy(&mut self, user: &str) -> Result<Reply> {
        self.command_line(format!("VRFY {user}"))
    }

    /// Sends EXPN to ask who is on a mailing list, and returns the reply: Python's `expn()`.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn expn(&mut self, list: &str) -> Result<Reply> {
        self.command_line(format!("EXPN {list}"))
    }

    /// Sends HELP and returns the reply: Python's `help()`. An empty topic asks for general help.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn help(&mut self, topic: &str) -> Result<Reply> {
        let mut line = format!("HELP {topic}");
        line.truncate(line.trim_end_matches(' ').len());
        self.command_line(line)
    }

    /// One command and its reply. 421 ends the connection, whatever the command (RFC 5321, 3.8).
    pub(crate) fn ask(&mut self, step: Step, octets: &[u8]) -> Result<Reply> {
        self.wire.send(step, octets, None)?;
        let reply = self.wire.read_alone(step)?;
        if reply.code().is_intermediate() {
            return Err(self.protocol(step, ProtocolError::UnexpectedCode(reply.code())));
        }
        if reply.code() == Code::SERVICE_CLOSING {
            return Err(self.refused(step, reply));
        }
        Ok(reply)
    }
}
