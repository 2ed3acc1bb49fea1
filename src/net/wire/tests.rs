use super::*;
use crate::transport::Transport;
use std::io::{self, ErrorKind, Read, Write};

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

/// A peer that has said this, and says no more. Its writes fail. A read that waits for more is a
/// fault.
#[derive(Debug)]
struct Gone {
    words: Option<&'static [u8]>,
    is_polling: bool,
}

impl Read for Gone {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(words) = self.words.take() {
            buffer[..words.len()].copy_from_slice(words);
            return Ok(words.len());
        }
        assert!(self.is_polling, "it waits for more");
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Write for Gone {
    fn write(&mut self, _octets: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Gone {
    fn set_deadline(&mut self, _deadline: Instant) -> io::Result<()> {
        Ok(())
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.is_polling = yes;
        Ok(())
    }
}

/// What a wire says that finds these words in the middle of a message, and one whose write fails.
fn in_mid_body(words: &'static [u8]) -> [String; 2] {
    let wire = || {
        let stream = Stream::new(Gone {
            words: Some(words),
            is_polling: false,
        });
        Wire::new(stream, Timeouts::default(), Trace::default())
    };
    let (mut silent, mut failing) = (wire(), wire());
    let errors = [
        silent.check_silence().unwrap_err(),
        failing.write_body(b"x", 1).unwrap_err(),
    ];
    assert!(silent.is_closed() && failing.is_closed());
    errors.map(|error| error.to_string())
}

// L5: the first reply is the reason, and nothing waits for another.
#[test]
fn nothing_is_waited_for_behind_a_reason() {
    let expected = "the server closed the connection at the message, saying: 552 5.3.4 too big";
    for words in [
        &b"552 5.3.4 too big\r\n"[..],
        b"552 5.3.4 too big\r\n421 bye\r\n",
        b"552 5.3.4 too big\r\n421 by",
    ] {
        assert_eq!(in_mid_body(words), [expected; 2]);
    }
}

// R2: a peer that never stops sending replies cannot hold the client in the middle of a message.
#[test]
fn endless_refusals_end_in_mid_body() {
    let stream = Stream::new(Endless(b"552 no\r\n", 0));
    let mut wire = Wire::new(stream, Timeouts::default(), Trace::default());
    let error = wire.check_silence().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server closed the connection at the message, saying: 552 no"
    );
    assert!(wire.is_closed());
}
