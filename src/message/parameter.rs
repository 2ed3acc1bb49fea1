//! Parameters of `Content-Type` and `Content-Disposition` (RFC 2045, 5.1), also long ones and those
//! outside ASCII (RFC 2231).

use crate::message::encoded_word::{WordEncoding, hex};
use crate::message::header::{HeaderWriter, write_quoted};

/// The longest piece of a parameter: with a space before it and a semicolon after it, the line has
/// 78 bytes.
const MAX_PIECE: usize = 76;
/// The longest file name in the plain form. It fits on one line.
const MAX_PLAIN_NAME: usize = 60;
/// The longest boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY: usize = 70;
/// The longest name of a parameter: it leaves room for a value in a piece.
pub(crate) const MAX_PARAMETER_NAME: usize = 40;

/// Writes a value and its parameters: `text/plain; charset=utf-8`.
pub(crate) fn write_parameters<'p>(
    writer: &mut HeaderWriter<'_>,
    value: &str,
    parameters: &mut dyn Iterator<Item = (&'p str, &'p str)>,
) {
    let mut parameters = parameters.peekable();
    writer.parts([value, separator(parameters.peek())]);
    while let Some((name, value)) = parameters.next() {
        let separator = separator(parameters.peek());
        if is_plain(value) && name.len() + 1 + value.len() <= MAX_PIECE {
            writer.parts([name, "=", value, separator]);
            continue;
        }
        // Readers search for the boundary unchanged.
        if name == "boundary" && is_boundary(value) {
            writer.parts([name, "=", &quoted(value), separator]);
            continue;
        }
        let mut pieces = pieces(name, value).into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let is_last = pieces.peek().is_none();
            writer.parts([&*piece, if is_last { separator } else { ";" }]);
        }
    }
}

/// The text between two parameters.
fn separator(next: Option<&(&str, &str)>) -> &'static str {
    next.map_or("", |_| ";")
}

/// Writes `name="…"` with encoded-words in the quotes. No standard allows that (RFC 2047, 5), but
/// old versions of Outlook read nothing else.
pub(crate) fn write_encoded_name(writer: &mut HeaderWriter<'_>, name: &str) {
    let encoding = WordEncoding::for_text(name);
    let mut before = "name=\"";
    let mut rest = name;
    while !rest.is_empty() {
        let (head, tail) = encoding.split(rest, MAX_PIECE - "name=\"\"".len());
        let end = if tail.is_empty() { "\"" } else { "" };
        writer.token_with(|out| {
            out.extend_from_slice(before.as_bytes());
            encoding.write(head, out);
            out.extend_from_slice(end.as_bytes());
        });
        before = "";
        rest = tail;
    }
}

/// A file name that every reader can show. Characters that need RFC 2231 are replaced by `_`, and
/// the middle of a long name is left out.
pub(crate) fn plain_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '?' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    match plain.len().checked_sub(MAX_PLAIN_NAME) {
        None | Some(0) => plain,
        Some(_) => {
            let (head, _) = plain.split_at(MAX_PLAIN_NAME / 2);
            let (_, tail) = plain.split_at(plain.len() - MAX_PLAIN_NAME / 2);
            format!("{head}{tail}")
        }
    }
}

/// A parameter that needs at least quotes, as one piece or as the numbered pieces of RFC 2231.
fn pieces(name: &str, value: &str) -> Vec<String> {
    let ascii = value.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    // Many readers decode encoded-words in parameters, so a value that looks like one needs the
    // other form.
    if !ascii || value.contains("=?") {
        return extended(name, value);
    }
    let quoted = quoted(value);
    if name.len() + 1 + quoted.len() <= MAX_PIECE {
        return vec![format!("{name}={quoted}")];
    }
    continued(name, value)
}

/// Whether a value needs no quotes. Without quotes, some readers treat `'` and `%` as RFC 2231 even
/// here.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(is_attribute_char)
}

/// RFC 2231, 3: `name*0="..."`.
fn continued(name: &str, value: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for c in value.chars() {
        let prefix = name.len() + digits(pieces.len()) + 2;
        let width = 1 + usize::from(matches!(c, '"' | '\\'));
        if prefix + piece.len() + width + 2 > MAX_PIECE {
            pieces.push(format!("{name}*{}=\"{piece}\"", pieces.len()));
            piece.clear();
        }
        if width == 2 {
            piece.push('\\');
        }
        piece.push(c);
    }
    pieces.push(format!("{name}*{}=\"{piece}\"", pieces.len()));
    pieces
}

/// RFC 2231, 4: `name*=utf-8''...`; if that is too long, 4.1: `name*0*=utf-8''...`.
fn extended(name: &str, value: &str) -> Vec<String> {
    let whole = format!("{name}*=utf-8''{}", percent_encoded(value));
    if whole.len() <= MAX_PIECE {
        return vec![whole];
    }
    let mut pieces = Vec::new();
    let mut piece = format!("{name}*0*=utf-8''");
    for c in value.chars() {
        // All bytes of a character stay in one piece.
        let encoded = percent_encoded(c.encode_utf8(&mut [0; 4]));
        if piece.len() + encoded.len() > MAX_PIECE {
            let next = format!("{name}*{}*=", pieces.len() + 1);
            pieces.push(std::mem::replace(&mut piece, next));
        }
        piece.push_str(&encoded);
    }
    pieces.push(piece);
    pieces
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if is_attribute_char(octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push('%');
            encoded.push(char::from(hex(octet >> 4)));
            encoded.push(char::from(hex(octet & 15)));
        }
    }
    encoded
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_quoted(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Whether a text can be a boundary (RFC 2046, 5.1.1, bchars).
pub(crate) fn is_boundary(text: &str) -> bool {
    let is_bchar = |octet: u8| octet.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&octet);
    (1..=MAX_BOUNDARY).contains(&text.len()) && !text.ends_with(' ') && text.bytes().all(is_bchar)
}

/// Whether a value is a token, which needs no quotes (RFC 2045, 5.1).
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_char)
}

fn is_token_char(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&octet)
}

/// RFC 2231, 7.
fn is_attribute_char(octet: u8) -> bool {
    is_token_char(octet) && !b"*'%".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parameters: &[(&str, &str)]) -> String {
        let mut out = Vec::new();
        let mut writer = HeaderWriter::new(&mut out, false);
        writer.begin("Content-Disposition");
        write_parameters(&mut writer, "attachment", &mut parameters.iter().copied());
        writer.end();
        String::from_utf8(out).unwrap()
    }

    fn filename(name: &str) -> String {
        let header = written(&[("filename", name)]);
        let value = header
            .strip_prefix("Content-Disposition: attachment;")
            .unwrap();
        value.trim_start_matches("\r\n").trim().to_owned()
    }

    /// 2045-02, 2183-01, 2231-02, 2231-05.
    #[test]
    fn a_value_takes_the_plainest_form_that_holds_it() {
        for (name, parameter) in [
            ("a.txt", "filename=a.txt"),
            ("a b.txt", "filename=\"a b.txt\""),
            ("a\"b\\.txt", "filename=\"a\\\"b\\\\.txt\""),
            ("it's.txt", "filename=\"it's.txt\""),
            ("a;b.txt", "filename=\"a;b.txt\""),
            ("résumé.pdf", "filename*=utf-8''r%C3%A9sum%C3%A9.pdf"),
            (
                "50% 'é'*.pdf",
                "filename*=utf-8''50%25%20%27%C3%A9%27%2A.pdf",
            ),
            (
                "=?utf-8?q?a?=",
                "filename*=utf-8''%3D%3Futf-8%3Fq%3Fa%3F%3D",
            ),
        ] {
            assert_eq!(filename(name), parameter);
        }
    }

    /// 2231-01, 2231-03, 2231-04.
    #[test]
    fn a_long_value_is_numbered() {
        assert_eq!(
            filename(&"x".repeat(100)),
            format!(
                "filename*0=\"{}\";\r\n filename*1=\"{}\"",
                "x".repeat(63),
                "x".repeat(37)
            )
        );
        let long = filename(&"é".repeat(30));
        assert_eq!(
            long,
            format!(
                "filename*0*=utf-8''{};\r\n filename*1*={};\r\n filename*2*={};\r\n \
                 filename*3*={}",
                "%C3%A9".repeat(9),
                "%C3%A9".repeat(10),
                "%C3%A9".repeat(10),
                "%C3%A9",
            )
        );
    }

    #[test]
    fn no_line_is_longer_than_78_and_numbers_leave_no_gap() {
        for value in ["\"".repeat(3_000), "🦀".repeat(900), "a b".repeat(2_000)] {
            let header = written(&[("filename", &value), ("size", "5")]);
            assert!(header.lines().all(|line| line.len() <= 78), "{header}");
            for (number, line) in header
                .lines()
                .skip(1)
                .filter(|l| l.contains('*'))
                .enumerate()
            {
                assert!(line.starts_with(&format!(" filename*{number}")), "{line}");
            }
            assert!(header.ends_with(" size=5\r\n"));
        }
    }
}
