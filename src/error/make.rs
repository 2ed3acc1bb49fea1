//! Errors for tests of programs, and the server's place in those of connecting.

use std::io;

use super::Error;
use crate::endpoint::Endpoint;
use crate::protocol::error::ProtocolError;
use crate::reply::Reply;
use crate::step::Step;

/// For tests of what a program does with an error, and for places of one's own to send to.
impl Error {
    /// The server closed the connection.
    #[must_use]
    pub fn disconnected(step: Step, last_words: Option<Reply>) -> Self {
        Self::Disconnected {
            step,
            last_words: last_words.map(Box::new),
            server: None,
        }
    }

    /// Reading from or writing to the network failed.
    #[must_use]
    pub fn io(step: Step, source: io::Error) -> Self {
        Self::Io {
            step,
            source,
            server: None,
        }
    }

    /// The server broke the rules of the protocol.
    #[must_use]
    pub fn protocol(step: Step, source: ProtocolError) -> Self {
        Self::Protocol {
            step,
            source,
            line: Box::default(),
            server: None,
        }
    }

    /// The server refused a step.
    #[must_use]
    pub fn refused(step: Step, reply: Reply) -> Self {
        Self::Refused {
            step,
            reply,
            server: None,
        }
    }

    /// The server took too long.
    #[must_use]
    pub fn timeout(step: Step) -> Self {
        Self::Timeout {
            step,
            is_begun: false,
            server: None,
        }
    }

    /// The same error, naming the server.
    pub(crate) fn at(mut self, endpoint: Endpoint) -> Self {
        let place = match &mut self {
            Self::AuthFailed(failure) => &mut failure.server,
            Self::Disconnected { server, .. }
            | Self::Io { server, .. }
            | Self::Protocol { server, .. }
            | Self::Refused { server, .. }
            | Self::Timeout { server, .. } => server,
            Self::Tls(failure) => &mut failure.server,
            Self::Unsupported(what) => match what.server_mut() {
                Some(server) => server,
                None => return self,
            },
            _ => return self,
        };
        *place = Some(Box::new(endpoint));
        self
    }
}
