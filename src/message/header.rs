//! [`HeaderWriter`]: header fields, folded (RFC 5322, 2.2.3) and encoded (RFC 2047).

use crate::address::is_utf8_text;
use crate::message::encoded_word::{MAX_ENCODED_WORD, WordEncoding};

/// A line should not be longer (RFC 5322, 2.1.1), in bytes without CRLF.
const LINE: usize = 78;
/// A line with an encoded-word must not be longer (RFC 2047, 2).
const ENCODED_LINE: usize = 76;
/// No line may be longer (RFC 5322, 2.1.1).
pub(crate) const MAX_LINE: usize = 998;
/// How much fits on a line after the space at its start.
pub(crate) const MAX_TOKEN: usize = MAX_LINE - 1;
/// The longest field name: with its colon and a space it stays within [`LINE`].
pub(crate) const MAX_NAME: usize = 76;
/// If less is left on a line, an encoded-word begins on the next one.
const MIN_ENCODED_WORD: usize = 32;
/// The least room for the first encoded-word of a value. It is enough for the longest character.
const MIN_FIRST_WORD: usize = 24;
/// The longest display name in quotes. A longer one is encoded, because encoded-words can be
/// folded.
const MAX_QUOTED: usize = 70;

/// Appends header fields to a buffer, token by token. Between tokens is white space, where lines
/// can be folded.
pub(crate) struct HeaderWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Characters outside ASCII are written unencoded (RFC 6532), because the server accepts them.
    utf8: bool,
    /// The position where the current line begins.
    line: usize,
    /// The current line has an encoded-word.
    encoded: bool,
    /// The position where the value of the field begins.
    value: usize,
}

/// A word of a text, and whether it must be encoded.
struct Word<'t> {
    text: &'t str,
    encoded: bool,
}

impl<'a> HeaderWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, utf8: bool) -> Self {
        Self {
            line: out.len(),
            out,
            utf8,
            encoded: false,
            value: 0,
        }
    }

    /// Whether characters outside ASCII are written unencoded.
    pub(crate) fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// Begins a field. Its name was checked before.
    #[inline(never)]
    pub(crate) fn begin(&mut self, name: &str) {
        self.line = self.out.len();
        self.encoded = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        self.value = self.out.len();
    }

    /// Ends a field.
    pub(crate) fn end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// Writes a field that cannot need folding.
    pub(crate) fn short(&mut self, name: &str, value: &str) {
        self.begin(name);
        self.token(value);
        self.end();
    }

    /// Writes a field of free text (RFC 5322, unstructured).
    pub(crate) fn unstructured(&mut self, name: &str, value: &str) {
        self.begin(name);
        if self.column() + 1 + value.len() <= LINE && is_plain_line(value) {
            self.token(value);
        } else if is_plain_text(value) {
            self.tokens(value);
        } else {
            self.text(value);
        }
        self.end();
    }

    /// Writes a field of ASCII that programs read. It is folded only at spaces and tabs, which are
    /// all kept, and never encoded.
    pub(crate) fn verbatim(&mut self, name: &str, value: &str) {
        self.begin(name);
        for token in blank_tokens(value) {
            let first = self.out.len() == self.value;
            self.append(|out| {
                out.extend_from_slice(if first { b" " } else { b"" });
                out.extend_from_slice(token.as_bytes());
            });
        }
        self.end();
    }

    /// Writes a token, which is never divided, on this line or the next.
    pub(crate) fn token(&mut self, token: &str) {
        self.parts([token]);
    }

    /// Writes a token that is made of several parts.
    pub(crate) fn parts<const N: usize>(&mut self, parts: [&str; N]) {
        self.token_with(|out| {
            for part in parts {
                out.extend_from_slice(part.as_bytes());
            }
        });
    }

    /// Adds what separates the last token from the next.
    pub(crate) fn end_token(&mut self, separator: &str) {
        self.out.extend_from_slice(separator.as_bytes());
    }

    /// Like [`Self::token`], for a token that is written by a function.
    pub(crate) fn token_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.append(|out| {
            out.push(b' ');
            write(out);
        });
    }

    /// Writes a token with the white space before it.
    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        write(self.out);
        let limit = if self.encoded { ENCODED_LINE } else { LINE };
        if self.column() > limit {
            self.fold_at(start);
        }
    }

    /// Writes a display name (RFC 5322, phrase) as atoms, a quoted string or encoded-words, and
    /// then `end`.
    pub(crate) fn phrase(&mut self, name: &str, end: &str) {
        if is_atoms(name, self.utf8) {
            let (head, last) = name.rsplit_once(' ').unwrap_or(("", name));
            self.tokens(head);
            self.parts([last, end]);
        } else if is_quotable(name, self.utf8) {
            self.token_with(|out| {
                write_quoted(name, out);
                out.extend_from_slice(end.as_bytes());
            });
        } else {
            self.encoded_words(name);
            // White space separates an encoded-word from what follows (RFC 2047, 5 (3)).
            self.tokens(end);
        }
    }

    /// Writes a display name with the encoded-words of another header, and then `end`.
    pub(crate) fn encoded_phrase(&mut self, name: &str, end: &str) {
        for word in name.split(' ') {
            let is_encoded = word.contains("=?");
            self.encoded |= is_encoded;
            self.token(word);
            // The word may be on a new line.
            self.encoded |= is_encoded;
        }
        self.tokens(end);
    }

    fn tokens(&mut self, text: &str) {
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            self.token(token);
        }
    }

    /// Writes the words that need it as encoded-words, and the others unchanged.
    ///
    /// Readers drop the space between two encoded-words (RFC 2047, 6.2), so neighbours are encoded
    /// as one text.
    fn text(&mut self, text: &str) {
        for run in self.words(text).chunk_by(|a, b| a.encoded == b.encoded) {
            let words: Vec<&str> = run.iter().map(|word| word.text).collect();
            if run.first().is_some_and(|word| word.encoded) {
                self.encoded_words(&words.join(" "));
            } else {
                words.into_iter().for_each(|word| self.token(word));
            }
        }
    }

    /// Cuts a text at each space, and decides which words must be encoded.
    fn words<'t>(&self, text: &'t str) -> Vec<Word<'t>> {
        let mut after_empty = false;
        let mut words: Vec<Word<'t>> = Vec::new();
        for text in text.split(' ') {
            // An empty word is a space that readers would drop. It is encoded together with its
            // neighbour.
            let encoded = after_empty || !is_plain_word(text, self.utf8);
            after_empty = text.is_empty();
            words.push(Word { text, encoded });
        }
        if let [.., before, _] = words.as_mut_slice() {
            before.encoded |= after_empty;
        }
        words
    }

    /// Writes text as encoded-words, each on this line or the next.
    fn encoded_words(&mut self, text: &str) {
        let encoding = WordEncoding::for_text(text);
        let mut rest = text;
        while !rest.is_empty() {
            let room = ENCODED_LINE.saturating_sub(self.column() + 1);
            let (mut head, mut tail) = encoding.split(rest, room);
            let is_first = self.out.len() == self.value;
            let needed = if is_first {
                MIN_FIRST_WORD
            } else {
                MIN_ENCODED_WORD
            };
            if !tail.is_empty() && room < needed {
                self.break_at(self.out.len());
                (head, tail) = encoding.split(rest, MAX_ENCODED_WORD);
            }
            self.out.push(b' ');
            encoding.write(head, self.out);
            self.encoded = true;
            rest = tail;
        }
    }

    fn column(&self) -> usize {
        self.out.len() - self.line
    }

    /// Moves everything from `start` on to a new line. The beginning of the value is moved only if
    /// the line would be too long: some signers and readers take an empty first line for an empty
    /// value.
    fn fold_at(&mut self, start: usize) {
        if start != self.value || self.column() > MAX_LINE {
            self.break_at(start);
        }
    }

    fn break_at(&mut self, start: usize) {
        if start == self.line {
            return;
        }
        self.out.splice(start..start, *b"\r\n");
        self.line = start + 2;
        self.encoded = false;
    }
}

/// The words of a value, each with the white space before it. White space around the value is left
/// out.
pub(crate) fn blank_tokens(value: &str) -> impl Iterator<Item = &str> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let mut rest = value.trim_matches(BLANKS);
    std::iter::from_fn(move || {
        let blanks = rest.len() - rest.trim_start_matches(BLANKS).len();
        let word = rest.get(blanks..)?;
        let end = word.find(BLANKS).map_or(rest.len(), |end| blanks + end);
        let (token, after) = rest.split_at(end);
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

/// Whether a text is words of visible ASCII with one space between them. One pass decides that.
fn is_plain_line(text: &str) -> bool {
    let mut last = b' ';
    for octet in text.bytes() {
        let fits = match octet {
            b' ' => last != b' ',
            b'?' => last != b'=',
            other => other.is_ascii_graphic(),
        };
        if !fits {
            return false;
        }
        last = octet;
    }
    last != b' '
}

/// Whether a text can be written unencoded: visible ASCII with single spaces between words that fit
/// on a line.
fn is_plain_text(text: &str) -> bool {
    text.is_empty() || text.split(' ').all(|word| is_plain_word(word, false))
}

/// Whether a word can be written unencoded. A word that looks like an encoded-word would be
/// decoded, so it must be encoded.
fn is_plain_word(word: &str, utf8: bool) -> bool {
    !word.is_empty()
        && word.len() <= MAX_TOKEN
        && !word.contains("=?")
        && (word.bytes().all(|octet| octet.is_ascii_graphic())
            || utf8 && word.chars().all(|c| is_visible(c, utf8)))
}

fn is_visible(c: char, utf8: bool) -> bool {
    c.is_ascii_graphic() || (utf8 && is_utf8_text(c))
}

/// Whether a name needs no quotes. `.` is not atext (RFC 5322, 3.2.5).
fn is_atoms(name: &str, utf8: bool) -> bool {
    name.split(' ').all(|word| {
        // The text after the word must fit on its line, too.
        word.len() <= MAX_QUOTED
            && is_plain_word(word, utf8)
            && word
                .bytes()
                .all(|octet| is_atext(octet) || !octet.is_ascii())
    })
}

/// RFC 5322 atext.
pub(crate) fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

fn is_quotable(name: &str, utf8: bool) -> bool {
    name.len() <= MAX_QUOTED
        && !name.contains("=?")
        && name.chars().all(|c| c == ' ' || is_visible(c, utf8))
}

/// Writes a quoted-string (RFC 5322, 3.2.4).
pub(crate) fn write_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for octet in text.bytes() {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(octet);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut HeaderWriter<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut HeaderWriter::new(&mut out, false));
        String::from_utf8(out).unwrap()
    }

    fn subject(value: &str) -> String {
        written(|w| w.unstructured("Subject", value))
    }

    fn phrase(name: &str) -> String {
        written(|w| w.phrase(name, ":"))
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(subject("Lunch at noon?"), "Subject: Lunch at noon?\r\n");
        assert_eq!(subject(""), "Subject:\r\n");
    }

    /// 5322-02, 5322-06, 5322-07.
    #[test]
    fn a_line_is_folded_before_the_word_that_would_pass_column_78() {
        let words = "seventh ".repeat(18);
        let expected = format!(
            "Subject: {0}\r\n {0} seventh\r\n seventh\r\n",
            "seventh ".repeat(8).trim_end()
        );
        assert_eq!(subject(words.trim_end()), expected);
        let exact = format!("{} {}", "a".repeat(40), "b".repeat(28));
        assert_eq!(subject(&exact), format!("Subject: {exact}\r\n"));
        let over = format!("{} {}", "a".repeat(40), "b".repeat(29));
        assert_eq!(
            subject(&over),
            format!("Subject: {}\r\n", over.replace(' ', "\r\n "))
        );
    }

    /// 5322-01, 2047-13.
    #[test]
    fn a_word_longer_than_a_line_is_encoded_and_a_shorter_one_is_not() {
        // B7: the value begins on the first line.
        for length in [77, 78, 989] {
            let word = "x".repeat(length);
            assert_eq!(subject(&word), format!("Subject: {word}\r\n"));
            assert_eq!(
                subject(&format!("{word} y")),
                format!("Subject: {word}\r\n y\r\n")
            );
        }
        let word = "x".repeat(997);
        assert_eq!(subject(&word), format!("Subject:\r\n {word}\r\n"));
        let folded = subject(&"x".repeat(998));
        assert!(folded.starts_with("Subject: =?utf-8?q?xxx"));
        assert!(folded.lines().all(|line| line.len() <= ENCODED_LINE));
    }

    /// 2047-06, 2047-11, 2047-12, 5322-04.
    #[test]
    fn only_the_words_that_need_it_are_encoded() {
        for (text, value) in [
            (
                "Grüße aus Köln am Rhein",
                " =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?utf-8?q?K=C3=B6ln?= am Rhein",
            ),
            (
                "die Straße über Köln",
                " die =?utf-8?q?Stra=C3=9Fe_=C3=BCber_K=C3=B6ln?=",
            ),
            ("a  b", " a =?utf-8?q?_b?="),
            ("a   b c", " a =?utf-8?q?__b?= c"),
            (" a b", " =?utf-8?q?_a?= b"),
            ("a b ", " a =?utf-8?q?b_?="),
            ("a b  ", " a b =?utf-8?q?_?="),
            (" ", " =?utf-8?q?_?="),
            ("a\tb c", " =?utf-8?q?a=09b?= c"),
            (
                "see =?utf-8?q?x?= there",
                " see =?utf-8?b?PT91dGYtOD9xP3g/PQ==?= there",
            ),
            ("a\u{2028}b", " =?utf-8?q?a=E2=80=A8b?="),
        ] {
            assert_eq!(subject(text), format!("Subject:{value}\r\n"), "{text:?}");
        }
    }

    /// B7: an encoded word begins on the first line, too, unless the name leaves no room.
    #[test]
    fn a_value_begins_on_the_first_line() {
        for length in 1..=MAX_NAME {
            let name = "N".repeat(length);
            for value in [
                "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
                "éxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            ] {
                let text = written(|w| w.unstructured(&name, value));
                let is_first = !text.starts_with(&format!("{name}:\r\n"));
                assert_eq!(is_first, length <= 50, "{text}");
                assert!(
                    text.lines()
                        .all(|line| line.len() <= ENCODED_LINE || line == format!("{name}:"))
                );
            }
            let value = "v".repeat(900);
            let text = written(|w| w.verbatim(&name, &format!("{value} w")));
            assert_eq!(text, format!("{name}: {value}\r\n w\r\n"));
        }
        for (length, first) in [(995, true), (996, false)] {
            let text = written(|w| w.verbatim("N", &"v".repeat(length)));
            assert_eq!(text.starts_with("N: v"), first, "{length}");
        }
    }

    /// B8: spaces in quotes are kept, and so are all others.
    #[test]
    fn fields_for_machines_keep_their_blanks() {
        for value in [
            "\"Bob  Builder\" <b@x.example>",
            "mx.example; spf=pass  (two  blanks) smtp.mailfrom=\"a  b\"@x",
            "{\"a\":  \"b\\tc\"}",
            "a\t\tb",
        ] {
            assert_eq!(
                written(|w| w.verbatim("N", value)),
                format!("N: {value}\r\n")
            );
        }
        assert_eq!(written(|w| w.verbatim("N", "  a  ")), "N: a\r\n");
        assert_eq!(written(|w| w.verbatim("N", " ")), "N:\r\n");
        let long = format!("\"{}  {}\" end", "a".repeat(60), "b".repeat(60));
        let text = written(|w| w.verbatim("N", &long));
        assert_eq!(text.replace("\r\n ", " "), format!("N: {long}\r\n"));
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= LINE));
    }

    /// B12: no line is longer than 998, whatever the name.
    #[test]
    fn a_long_name_is_folded_or_encoded() {
        for length in [70, 71, 500, 995, 996, 997, 2_000] {
            for name in ["g".repeat(length), "g ".repeat(length / 2) + "g"] {
                let text = written(|w| {
                    w.begin("To");
                    w.phrase(&name, ":;,");
                });
                assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
            }
        }
    }

    /// 2047-01, 2047-02.
    #[test]
    fn encoded_words_fill_their_lines() {
        let folded = subject(&"Съешь же ещё этих мягких французских булок. ".repeat(4));
        let lines: Vec<&str> = folded.trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), 8);
        for line in lines {
            assert!(line.len() <= ENCODED_LINE, "{line}");
        }
    }

    /// 5322-10, 5322-11, 5322-12, 5322-13, 2047-07, 2047-08.
    #[test]
    fn a_name_is_made_of_atoms_or_quoted_or_encoded() {
        for (name, value) in [
            ("Friends", " Friends:"),
            ("Good Friends", " Good Friends:"),
            ("J. Doe", " \"J. Doe\":"),
            ("Doe, Jane", " \"Doe, Jane\":"),
            ("a  b", " \"a  b\":"),
            (" a", " \" a\":"),
            ("say \"hi\" \\o/", " \"say \\\"hi\\\" \\\\o/\":"),
            ("Zoë", " =?utf-8?q?Zo=C3=AB?= :"),
            ("=?utf-8?q?eve?=", " =?utf-8?b?PT91dGYtOD9xP2V2ZT89?= :"),
            ("eve@example.net", " \"eve@example.net\":"),
        ] {
            assert_eq!(phrase(name), value, "{name:?}");
        }
        let long = phrase(&"B.".repeat(300));
        assert!(
            long.lines().all(|line| line.len() <= ENCODED_LINE),
            "{long}"
        );
    }

    /// 6532-01, 6532-03, 6532-04.
    #[test]
    fn with_smtputf8_letters_stay_as_they_are() {
        let mut out = Vec::new();
        let mut writer = HeaderWriter::new(&mut out, true);
        writer.unstructured("Subject", "Grüße  an Zoë");
        writer.begin("To");
        writer.phrase("Zoë", "");
        writer.phrase("Zoë, B.", "");
        writer.end();
        writer.unstructured("X", &"ë".repeat(499));
        let text = String::from_utf8(out).unwrap();
        let (head, long) = text.split_once("X:").unwrap();
        assert_eq!(
            head,
            "Subject: Grüße =?utf-8?q?_an?= Zoë\r\nTo: Zoë \"Zoë, B.\"\r\n"
        );
        assert!(long.lines().all(|line| line.len() <= ENCODED_LINE));
    }
}
