//! The form for programmers.
//!
//! It is what `derive` would write, except that it is compiled once. What `derive` writes is
//! `#[inline]`: each crate that boxes an error has it again, with that of all values in the error.

use std::fmt::{self, Debug};

use crate::error::error::Error;

macro_rules! debug {
    (
        $($unit:ident),*;
        $($tuple:ident(_)),*;
        $($named:ident { $($field:ident),* }),* $(,)?
    ) => {
        impl Debug for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$unit => f.write_str(stringify!($unit)),)*
                    $(Self::$tuple(value) => fmt_tuple(stringify!($tuple), value, f),)*
                    $(Self::$named { $($field),* } => {
                        fmt_named(stringify!($named), &[$((stringify!($field), $field)),*], f)
                    })*
                }
            }
        }
    };
}

debug! {
    Closed, NoRecipients;

    AuthFailed(_), Command(_), Config(_), Content(_), Credentials(_), DataRefused(_), GaveUp(_),
    Interrupted(_), Message(_), RecipientsRefused(_), SenderRefused(_), Source(_), Tls(_), Token(_),
    Unsupported(_);

    Address { address, reason },
    Busy { waited, connections },
    Disconnected { step, last_words, server },
    Io { step, source, server },
    PlaintextAuth { server },
    Protocol { step, source, line, server },
    Refused { step, reply, server },
    Timeout { step, is_begun, server },
    TooLarge { size, limit },
    UnknownHost { host },
}

#[inline(never)]
fn fmt_tuple(name: &str, value: &dyn Debug, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_tuple(name).field(value).finish()
}

#[inline(never)]
fn fmt_named(name: &str, fields: &[(&str, &dyn Debug)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (field, value) in fields {
        shown.field(field, value);
    }
    shown.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::step::Step;

    #[test]
    fn it_is_what_derive_would_write() {
        let busy = Error::Busy {
            waited: Duration::from_secs(2),
            connections: 4,
        };
        assert_eq!(format!("{busy:?}"), "Busy { waited: 2s, connections: 4 }");
        assert_eq!(format!("{:?}", Error::Closed), "Closed");
        let nested = Error::gave_up(3, Error::timeout(Step::Greeting));
        assert_eq!(
            format!("{nested:#?}"),
            "\
GaveUp(
    GaveUp {
        attempts: 3,
        failure: Timeout {
            step: Greeting,
            is_begun: false,
            server: None,
        },
        outcome: None,
    },
)"
        );
    }
}
