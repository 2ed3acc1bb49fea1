//! [`Channel`]: a transport in use.

use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::time::Instant;

use crate::net::stream::duplex::Duplex;
use crate::transport::Transport;

/// A transport in use. The transport is shut down when the channel is dropped, and only then.
pub(crate) struct Channel {
    transport: Box<dyn Transport>,
    /// Why the deadline could not be set. Without a deadline no call may wait.
    unset: Option<io::Error>,
}

impl Channel {
    pub(super) fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            unset: None,
        }
    }

    /// Sets the deadline of reads and writes. If that fails, the next of them returns the error.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.unset = self.transport.set_deadline(deadline).err();
    }

    pub(super) fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.transport.set_nonblocking(yes)
    }

    /// Runs a read or a write, and repeats it if a signal has interrupted it.
    fn run<T>(
        &mut self,
        mut call: impl FnMut(&mut dyn Transport) -> io::Result<T>,
    ) -> io::Result<T> {
        if let Some(error) = self.unset.take() {
            return Err(error);
        }
        loop {
            match call(&mut *self.transport) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Deref for Channel {
    type Target = dyn Transport;

    fn deref(&self) -> &Self::Target {
        &*self.transport
    }
}

impl Duplex for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.run(|transport| transport.read(buffer))
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.run(|transport| transport.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.run(|transport| transport.flush())
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // Nobody can handle an error here.
        let _ = self.transport.shutdown();
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
