//! Leaving: QUIT, heard or unheard.

use std::time::{Duration, Instant};

use crate::connection::SmtpConnection;
use crate::error::Result;
use crate::net::stream::deadline_in;
use crate::reply::Reply;
use crate::step::Step;

/// The time limit of a QUIT without waiting for its reply: it fits into the socket's buffer at
/// once.
const UNHEARD: Duration = Duration::from_millis(100);

impl SmtpConnection {
    /// Sends QUIT, closes the connection and returns the reply: Python's `quit()`.
    ///
    /// It waits up to 5 seconds for the reply, unless
    /// [`Timeouts::quit`](crate::config::Timeouts::quit) says otherwise, and returns `None` if none
    /// came. It cannot fail, because the reply changes nothing about messages that were sent before.
    pub fn quit(mut self) -> Option<Reply> {
        self.begin().ok()?;
        self.wire.leave()
    }

    /// Says QUIT and closes without waiting for the farewell.
    pub(crate) fn leave_unheard(&mut self) {
        self.say_goodbye(deadline_in(UNHEARD));
        self.wire.close();
    }

    /// Says QUIT; the farewell is waited for until the deadline, but not yet.
    pub(crate) fn say_goodbye(&mut self, deadline: Instant) {
        if self.write_quit(deadline).is_err() {
            self.wire.abort();
        }
    }

    /// Waits for the farewell, and closes, whatever comes of it.
    pub(crate) fn hear_goodbye(&mut self) {
        if !self.wire.is_closed() {
            // What the server says to that changes nothing.
            let _ = self.wire.read_alone(Step::Quit);
        }
        self.wire.close();
    }

    fn write_quit(&mut self, deadline: Instant) -> Result<()> {
        self.wire.begin_call(Some(deadline))?;
        self.wire.send(Step::Quit, b"QUIT\r\n", None)?;
        self.wire.flush(Step::Quit)
    }
}
