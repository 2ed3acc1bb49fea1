//! [`Timeouts`]: how long each step may take.

use std::time::Duration;

use crate::step::Step;

/// How long each step may take; each is a deadline for the whole step, however slowly the peer
/// drips.
///
/// ```
/// use std::time::Duration;
/// use smtplib::Config;
/// use smtplib::config::Timeouts;
///
/// let patient = Timeouts::default().greeting(Duration::from_secs(300));
/// let config = Config::new("mail.example.com").timeouts(patient);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) handshake: Duration,
    pub(crate) greeting: Duration,
    pub(crate) command: Duration,
    pub(crate) data: Duration,
    pub(crate) body: Duration,
    pub(crate) end_of_data: Duration,
    pub(crate) quit: Duration,
}

/// QUIT has nothing to decide any more.
const MAX_QUIT: Duration = Duration::from_secs(5);

impl Timeouts {
    /// Makes the same limit for every step; at most 5 seconds for QUIT.
    pub fn all(budget: Duration) -> Self {
        Self {
            connect: budget,
            handshake: budget,
            greeting: budget,
            command: budget,
            data: budget,
            body: budget,
            end_of_data: budget,
            quit: budget.min(MAX_QUIT),
        }
    }

    /// Returns how long this step may take.
    #[must_use]
    pub fn budget(&self, step: Step) -> Duration {
        match step {
            Step::Connect => self.connect,
            Step::Handshake => self.handshake,
            Step::Greeting => self.greeting,
            Step::Data => self.data,
            Step::Body => self.body,
            Step::EndOfData => self.end_of_data,
            Step::Quit => self.quit,
            _ => self.command,
        }
    }

    pub(crate) fn list(&self) -> [Duration; 8] {
        [
            self.connect,
            self.handshake,
            self.greeting,
            self.command,
            self.data,
            self.body,
            self.end_of_data,
            self.quit,
        ]
    }
}

macro_rules! timeout_setters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        impl Timeouts {
            $($(#[$doc])* pub fn $name(mut self, budget: Duration) -> Self {
                self.$name = budget;
                self
            })*
        }
    };
}

timeout_setters! {
    /// Looking the host's name up and opening the connection, over all its addresses: 30 seconds.
    connect,
    /// The TLS handshake: 30 seconds.
    handshake,
    /// The server's greeting: 60 seconds.
    greeting,
    /// The reply to a command: 60 seconds.
    command,
    /// The reply to DATA: 120 seconds.
    data,
    /// Writing 64 KiB of the message: 180 seconds.
    body,
    /// The reply to the message: 600 seconds (RFC 5321, 4.5.3.2.6). Giving up earlier makes
    /// duplicates.
    end_of_data,
    /// The reply to QUIT: 5 seconds.
    quit,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(30),
            handshake: seconds(30),
            greeting: seconds(60),
            command: seconds(60),
            data: seconds(120),
            body: seconds(180),
            end_of_data: seconds(600),
            quit: MAX_QUIT,
        }
    }
}
