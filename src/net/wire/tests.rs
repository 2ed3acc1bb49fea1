use super::*;
use crate::transport::Transport;
use std::io::{self, Read, Write};

/// A peer that repeats the same octets for ever, and fills every read.
#[derive(Debug)]
struct Endless(&'static [u8], usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for octet in buffer.iter_mut() {
            *octet = self.0[self.1 % self.0.len()];
            self.1 += 1;
        }
        Ok(buffer.len())
    }
}

impl Write for Endless {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Endless {
    fn set_deadline(&mut self, _deadline: Instant) -> io::Result<()> {
        Ok(())
    }

    fn set_nonblocking(&mut self, _yes: bool) -> io::Result<()> {
        Ok(())
    }
}

// R1, R2: neither a line nor a reply takes more memory than its limit and one read.
#[test]
fn endless_replies_take_little_memory() {
    for (octets, expected) in [
        (&b"x"[..], ProtocolError::LineTooLong),
        (b"250-x\r\n", ProtocolError::ReplyTooLong),
        (b"250-\r\n", ProtocolError::ReplyTooLong),
    ] {
        let stream = Stream::new(Endless(octets, 0));
        let mut wire = Wire::new(stream, Timeouts::default(), Trace::default());
        let error = wire.read_alone(Step::Command).unwrap_err();
        assert!(
            matches!(error, Error::Protocol { source, .. } if source == expected),
            "{error:?}"
        );
        assert!(wire.input.capacity() <= 4 * (line::MAX_LINE + READ_BUFFER));
        assert!(wire.is_closed());
    }
}

// A peer that never stops sending replies is an error before the next command. The replies are not
// queued.
#[test]
fn surplus_replies_are_no_answers() {
    let stream = Stream::new(Endless(b"250 ok\r\n", 0));
    let mut wire = Wire::new(stream, Timeouts::default(), Trace::default());
    assert_eq!(wire.read_alone(Step::Command).unwrap().code(), 250);
    let error = wire.send(Step::Command, b"NOOP\r\n", None).unwrap_err();
    assert!(
        matches!(error, Error::Protocol { source, .. } if source == ProtocolError::Unsolicited),
        "{error:?}"
    );
    assert!(matches!(
        wire.send(Step::Command, b"NOOP\r\n", None),
        Err(Error::Closed)
    ));
}
