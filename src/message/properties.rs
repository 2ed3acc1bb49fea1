//! Properties of every message that can be built, for the fuzzer and for tests: it is well-formed,
//! and a reader finds what was put in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a property fails by panicking"
)]

use crate::message::Message;
use crate::message::attachment::Attachment;
use crate::message::error::MessageProblem;
use crate::message::mailbox::Mailbox;
use crate::message::part::Part;
use crate::message::reader::{Found, display_name, lines, unstructured};
use crate::message::transfer::Offers;

/// A reader finds every subject, display name and field that a message accepts, and no other field.
pub(crate) fn fuzz_header(data: &[u8]) {
    let mut input = Input(data);
    let is_sane = input.octet() & 3 != 0;
    let [subject, name, mut field, value] = [(); 4].map(|()| input.text());
    let [subject, name, value] = [subject, name, value].map(|text| sane(text, is_sane));
    if is_sane {
        field.retain(|c| c.is_ascii_graphic() && c != ':');
        field = format!("X-{field}");
    }
    let builder = Message::builder()
        .from("a@example.org")
        .subject(&*subject)
        .header(&field, &value);
    let to = Mailbox::try_from((&*name, "b@example.org"));
    let builder = match &to {
        Ok(to) => builder.to(to),
        Err(_) => builder,
    };
    let Ok(message) = builder.build() else {
        return;
    };
    let found = Found::read(&lines(&message.to_bytes().unwrap(), false));
    assert_eq!(unstructured(found.only("Subject")), subject);
    let is_private = field.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-"));
    if is_private && value.is_ascii() {
        // It is for programs, which read it unchanged.
        assert_eq!(found.only(&field), value.trim_matches([' ', '\t']));
    } else {
        assert_eq!(unstructured(found.only(&field)), value);
    }
    match (&to, name.as_str()) {
        (Err(_), _) => assert_eq!(found.field("To"), None),
        (Ok(_), "") => assert_eq!(found.only("To"), "b@example.org"),
        (Ok(_), name) => assert_eq!(display_name(found.only("To")), name),
    }
    let names: Vec<&str> = found.fields.iter().map(|(name, _)| name.as_str()).collect();
    let mut expected = vec!["Date", "From", "To", "Message-ID", "Subject", &field];
    expected.retain(|name| *name != "To" || to.is_ok());
    expected.extend(["MIME-Version", "Content-Type"]);
    assert_eq!(names, expected);
}

/// A reader finds every body that a message accepts, whatever the server offers. The message has
/// the length that was measured.
pub(crate) fn fuzz_message(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.octet();
    let offers = Offers {
        eight_bit: flags & 1 != 0,
        smtputf8: flags & 2 != 0,
        binary: flags & 4 != 0,
        signed: false,
    };
    let body = Body::of(&mut input, 0);
    let Ok(message) = body.build() else {
        return;
    };
    let rendering = match message.render(offers) {
        Ok(rendering) => rendering,
        Err(error) => {
            assert!(matches!(error.problem(), MessageProblem::Smtputf8(_)) && !offers.smtputf8);
            return;
        }
    };
    let mut octets = Vec::new();
    rendering.write_to(&mut octets).unwrap();
    assert_eq!(octets.len() as u64, rendering.size());
    assert!(!rendering.is_binary() || offers.binary);
    assert!(!rendering.needs_smtputf8() || offers.smtputf8);
    if rendering.is_clean() {
        let has_dot = octets.starts_with(b".") || octets.windows(3).any(|end| end == b"\r\n.");
        assert!(!rendering.is_binary() && !has_dot && octets.ends_with(b"\r\n"));
    }
    if !rendering.is_binary() {
        assert!(!rendering.is_8bit() || offers.eight_bit || offers.smtputf8);
        lines(&octets, rendering.is_8bit());
    }
    let found = Found::read(&octets);
    let leaves = found.leaves();
    let expected = body.leaves();
    assert_eq!(leaves.len(), expected.len(), "{found:?}");
    for (leaf, (name, data)) in leaves.iter().zip(&expected) {
        assert_eq!(leaf.file_name(), *name);
        let alone = expected.len() == 1 && leaf.data().len() == data.len() + 2;
        let read = if alone {
            // The last line of a message is ended even if that of its text was not.
            leaf.data().strip_suffix(b"\r\n").unwrap()
        } else {
            leaf.data()
        };
        assert_eq!(read, data);
    }
}

/// A body, by what was put in.
struct Body {
    author: String,
    text: String,
    html: Option<String>,
    files: Vec<(String, Vec<u8>, bool)>,
    inner: Option<Box<Self>>,
}

impl Body {
    fn of(input: &mut Input<'_>, depth: usize) -> Self {
        let shape = input.octet();
        let files = (0..shape & 3).map(|_| {
            (
                input.text(),
                input.octets().to_vec(),
                input.octet() & 1 == 0,
            )
        });
        let files = files.collect();
        Self {
            author: input.text(),
            text: input.text(),
            html: (shape & 4 != 0).then(|| input.text()),
            files,
            inner: (shape & 8 != 0 && depth < 3).then(|| Box::new(Self::of(input, depth + 1))),
        }
    }

    fn build(&self) -> Result<Message, crate::error::MessageError> {
        let author = Mailbox::try_from(&self.author);
        let mut builder = Message::builder().text(&*self.text);
        builder = match author {
            Ok(author) => builder.from(author),
            Err(_) => builder.from("a@example.org"),
        };
        if let Some(html) = &self.html {
            builder = builder.html(&**html);
        }
        for (name, data, inline) in &self.files {
            // Messages and text have rules of their own, which these bytes may break.
            let file = Attachment::new(&**name, data.clone()).media_type("application/x-any");
            builder = builder.attach(if *inline {
                file.inline("i@example.org")
            } else {
                file
            });
        }
        if let Some(inner) = &self.inner {
            builder = builder.attach(Part::from(inner.build()?));
        }
        builder.build()
    }

    /// File names and data in the order in which they are sent.
    fn leaves(&self) -> Vec<(Option<String>, Vec<u8>)> {
        let mut leaves = vec![(None, canonical(&self.text))];
        leaves.extend(self.html.iter().map(|html| (None, canonical(html))));
        // Inline files come first: within the HTML, or before the others.
        for wanted in [true, false] {
            let files = self.files.iter().filter(|(_, _, inline)| *inline == wanted);
            leaves.extend(files.map(|(name, data, _)| {
                let name = name.rsplit(['/', '\\']).next().unwrap();
                ((!name.is_empty()).then(|| name.to_owned()), data.clone())
            }));
        }
        leaves.extend(self.inner.iter().flat_map(|inner| inner.leaves()));
        leaves
    }
}

fn canonical(text: &str) -> Vec<u8> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace('\n', "\r\n").into_bytes()
}

/// Leaves out what would be refused, so that most inputs get further.
fn sane(mut text: String, is_sane: bool) -> String {
    text.retain(|c| !is_sane || !c.is_control());
    text
}

/// Cuts bytes into values.
struct Input<'d>(&'d [u8]);

impl<'d> Input<'d> {
    fn octet(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// Bytes after their length: below 128 in one byte, above that as a multiple of 32.
    fn octets(&mut self) -> &'d [u8] {
        let length = match self.octet() {
            length @ 0..=127 => usize::from(length),
            length => usize::from(length - 127) * 32,
        };
        let (octets, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        octets
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.octets()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces that have caused trouble somewhere, so that random inputs are not only noise.
    const PIECES: &[&[u8]] = &[
        b"\x05",
        b"\x10",
        b"\x20",
        b"\x7f",
        b"\x90",
        b"a",
        b" ",
        b"  ",
        b"=?utf-8?q?x?=",
        b"=?",
        b"\"",
        b"\\",
        b"\t",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        "é".as_bytes(),
        "🦀".as_bytes(),
        "\u{2028}".as_bytes(),
        b"From ",
        b".",
        b"--",
        b"X-Field",
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        b"a b c d e f",
        b"Zo\xc3\xab <zo\xc3\xab@example.org>",
        b"\xff",
        b"file.txt",
        b"';*%=",
        b"<a@b>",
        b", ",
        b"\x0f",
        b"\x1f",
    ];

    fn inputs(count: u64) -> impl Iterator<Item = Vec<u8>> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |end: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 32).unwrap() % end
        };
        (0..count).map(move |_| {
            let pieces = random(60);
            (0..pieces)
                .flat_map(|_| PIECES[random(PIECES.len())])
                .copied()
                .collect()
        })
    }

    #[test]
    fn headers_come_back() {
        inputs(3_000).for_each(|input| fuzz_header(&input));
        // A field that is certainly accepted, so that the property checks something.
        fuzz_header(b"\x01\x04Zo\xc3\xab\x05a,b c\x01X\x03v w");
    }

    #[test]
    fn bodies_come_back() {
        inputs(3_000).for_each(|input| fuzz_message(&input));
        fuzz_message(b"\x04\x09\x05x.bin\x04\0\r\n\xff\x01\x00\x03a\nb");
    }
}
