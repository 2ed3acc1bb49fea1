//! [`Verb`]: what a reply is owed to.

use crate::reply::Code;
use crate::step::Step;

/// A part of a transaction that the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Rset,
    Mail,
    /// RCPT for the recipient at this place.
    Rcpt(usize),
    Data,
    /// A chunk that does not end the message (RFC 3030, 2).
    Chunk,
    /// The end of the message: the final dot, or the last chunk.
    End,
    /// The dot that ends a message for nobody.
    LoneEnd,
}

impl Verb {
    pub(crate) fn step(self) -> Step {
        match self {
            Self::Rset => Step::Reset,
            Self::Mail => Step::Mail,
            Self::Rcpt(_) => Step::Rcpt,
            Self::Data => Step::Data,
            Self::Chunk => Step::Body,
            Self::End | Self::LoneEnd => Step::EndOfData,
        }
    }

    /// Whether it is MAIL or RCPT.
    pub(crate) fn is_envelope(self) -> bool {
        matches!(self, Self::Mail | Self::Rcpt(_))
    }

    /// Whether the code is an answer to this command at all (RFC 5321, 4.3.2).
    pub(crate) fn expects(self, code: Code) -> bool {
        match self {
            Self::Data => code == 354 || code.is_transient() || code.is_permanent(),
            _ => !code.is_intermediate(),
        }
    }
}
