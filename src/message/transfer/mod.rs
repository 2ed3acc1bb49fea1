//! Content transfer encodings (RFC 2045, 6): which one a text gets, and how each is written.

mod base64;
mod flowed;
mod line_end;
mod lines;
mod quoted_printable;
mod scan;

use std::io::{self, Write};

pub(crate) use crate::message::transfer::base64::{Base64Writer, base64_length};
pub(crate) use crate::message::transfer::flowed::flow;
pub(crate) use crate::message::transfer::lines::LineWriter;
pub(crate) use crate::message::transfer::scan::{Scan, Scanner};

/// What can be sent besides lines of ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// Lines with bytes above 127 (8BITMIME, RFC 6152).
    pub(crate) eight_bit: bool,
    /// UTF-8 in addresses and other headers (SMTPUTF8, RFC 6531).
    pub(crate) smtputf8: bool,
    /// Bytes that are not lines (BINARYMIME, RFC 3030), if the caller allows them.
    pub(crate) binary: bool,
    /// The content is signed, so no server on its way may have a reason to change it (RFC 1847,
    /// 2.1).
    pub(crate) signed: bool,
}

impl Offers {
    /// The offers for a file: a header is in UTF-8 only if it must be.
    pub(crate) const FILE: Self = Self {
        eight_bit: false,
        smtputf8: true,
        binary: false,
        signed: false,
    };

    /// What can be sent within a signed multipart: 7 bits (RFC 1847, 2.1; RFC 3156, 3).
    pub(crate) fn signed(self) -> Self {
        Self {
            eight_bit: false,
            binary: false,
            signed: true,
            ..self
        }
    }
}

/// A content transfer encoding (RFC 2045, 6.1). The first three are ordered by what they need from
/// a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Encoding {
    SevenBit,
    EightBit,
    Binary,
    QuotedPrintable,
    Base64,
}

impl Encoding {
    /// The value of the header field, if one is needed.
    pub(crate) fn label(self) -> Option<&'static str> {
        match self {
            Self::SevenBit => None,
            Self::EightBit => Some("8bit"),
            Self::Binary => Some("binary"),
            Self::QuotedPrintable => Some("quoted-printable"),
            Self::Base64 => Some("base64"),
        }
    }

    /// What content in this encoding needs from the server and from the parts around it (RFC 2045,
    /// 6.4).
    pub(crate) fn domain(self) -> Self {
        match self {
            Self::QuotedPrintable | Self::Base64 => Self::SevenBit,
            other => other,
        }
    }

    /// Writes a text, encoded. Line ends become CRLF, except in `Binary`. No line end is added
    /// after the last line.
    pub(crate) fn write_text(self, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::SevenBit | Self::EightBit => line_end::write_crlf(text, out),
            Self::Binary => out.write_all(text),
            Self::QuotedPrintable => quoted_printable::write(text, out),
            Self::Base64 => {
                let mut encoder = Base64Writer::new(out);
                line_end::write_crlf(text, &mut encoder)?;
                encoder.finish()
            }
        }
    }

    /// How many bytes [`Self::write_text`] writes.
    pub(crate) fn text_length(self, text: &[u8], scan: &Scan) -> u64 {
        match self {
            Self::SevenBit | Self::EightBit => scan.length,
            Self::Binary => text.len() as u64,
            Self::QuotedPrintable => quoted_printable::length(text),
            Self::Base64 => base64_length(scan.length),
        }
    }
}
