//! What the exit status of a `sendmail` program means.

use crate::places::store::Answer;

/// The reply that a server would give in the place of a program with this exit status.
///
/// The numbers are those of BSD's `sysexits.h`, the enhanced codes those of RFC 3463 and RFC 5248.
/// A 4yz means that a later try may succeed: the machine lacks something, and neither the message
/// nor its addresses are the cause. In doubt it is a 4yz: a later try in vain costs less than a lost
/// message.
pub(super) fn answer(status: i32, program: &str, said: &str) -> Answer {
    let (code, enhanced, meaning) = match status {
        0 => (250, "2.0.0", "accepted"),
        // All programs of this kind have these options, so this is another program.
        64 => (554, "5.3.5", "bad usage"),
        65 => (554, "5.6.0", "bad message"),
        // The program was given no input file: it must be one of its own.
        66 => (451, "4.3.0", "no input"),
        67 => (550, "5.1.1", "no such user"),
        // Also of a relay whose own server has no address for now.
        68 => (451, "4.4.4", "no such host"),
        // Sendmail and Postfix use it for mail that they give up.
        69 => (554, "5.3.0", "not available"),
        70 => (451, "4.3.0", "internal error"),
        // No process, no memory, no file descriptor.
        71 => (451, "4.3.0", "system error"),
        72 => (451, "4.3.0", "a system file is missing"),
        // Most often the disk is full.
        73 => (451, "4.3.0", "cannot write"),
        74 => (451, "4.3.0", "input or output failed"),
        75 => (451, "4.3.0", "try again later"),
        // The server that the program talked to did not keep to the protocol.
        76 => (451, "4.5.0", "protocol error"),
        77 => (550, "5.7.1", "not permitted"),
        // An administrator can correct it, and the sender cannot.
        78 => (451, "4.3.5", "bad configuration"),
        // qmail has two statuses: 100 for good, and this one for now.
        111 => (451, "4.3.0", "try again later"),
        _ => (554, "5.3.0", "failed"),
    };
    let text = match (status, said) {
        (0, _) => meaning.to_owned(),
        (_, "") => format!("{program} ended with status {status}: {meaning}"),
        (_, said) => format!("{program} ended with status {status}: {said}"),
    };
    Answer::new(code, format!("{enhanced} {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(status: i32, said: &str) -> String {
        let mut out = Vec::new();
        answer(status, "/bin/mail", said).append_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_status_has_its_reply() {
        for (status, code) in [
            (0, "250 2.0.0"),
            (1, "554 5.3.0"),
            (64, "554 5.3.5"),
            (65, "554 5.6.0"),
            (66, "451 4.3.0"),
            (67, "550 5.1.1"),
            (68, "451 4.4.4"),
            (69, "554 5.3.0"),
            (70, "451 4.3.0"),
            (71, "451 4.3.0"),
            (72, "451 4.3.0"),
            (73, "451 4.3.0"),
            (74, "451 4.3.0"),
            (75, "451 4.3.0"),
            (76, "451 4.5.0"),
            (77, "550 5.7.1"),
            (78, "451 4.3.5"),
            (79, "554 5.3.0"),
            (100, "554 5.3.0"),
            (111, "451 4.3.0"),
            (127, "554 5.3.0"),
            (255, "554 5.3.0"),
        ] {
            assert!(
                line(status, "").starts_with(&format!("{code} ")),
                "{status}"
            );
        }
    }

    #[test]
    fn the_words_are_those_of_the_program_if_it_has_any() {
        assert_eq!(
            line(67, ""),
            "550 5.1.1 /bin/mail ended with status 67: no such user\r\n"
        );
        assert_eq!(
            line(67, "bob: unknown"),
            "550 5.1.1 /bin/mail ended with status 67: bob: unknown\r\n"
        );
        assert_eq!(line(0, "queued"), "250 2.0.0 accepted\r\n");
    }
}
