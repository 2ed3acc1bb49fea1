//! Facts: what a message says, as lines that programs in any language can write and compare.

use std::fmt::Write;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts(pub(crate) Vec<String>);

impl Facts {
    /// Adds a line: a key, and values escaped so that they are ASCII without spaces.
    pub(crate) fn push(&mut self, key: &str, values: &[&str]) {
        let mut line = key.to_owned();
        for value in values {
            line.push(' ');
            line.push_str(&escape(value.as_bytes()));
        }
        self.0.push(line);
    }

    pub(crate) fn push_data(&mut self, data: &[u8]) {
        self.0.push(format!("data {}", escape(data)));
    }

    /// The facts without some keys, for a parser that does not know them.
    pub(crate) fn without(&self, keys: &[&str]) -> Self {
        let is_kept = |line: &&String| !keys.contains(&line.split(' ').next().unwrap());
        Self(self.0.iter().filter(is_kept).cloned().collect())
    }

    /// The facts without the white space in values, except in data.
    pub(crate) fn without_spaces(&self) -> Self {
        Self(self.0.iter().map(|line| without_spaces(line)).collect())
    }
}

fn without_spaces(line: &str) -> String {
    if line.starts_with("data ") {
        return line.to_owned();
    }
    ["%20", "%C2%A0", "%E2%80%A8"]
        .iter()
        .fold(line.to_owned(), |line, space| line.replace(space, ""))
}

/// Percent-encoding as Python's `urllib.parse.quote(value, safe="")` does it.
fn escape(value: &[u8]) -> String {
    let mut escaped = String::new();
    for octet in value {
        if octet.is_ascii_alphanumeric() || b"_.-~".contains(octet) {
            escaped.push(char::from(*octet));
        } else {
            write!(escaped, "%{octet:02X}").unwrap();
        }
    }
    escaped
}

/// Compares facts line by line, and shows the message if they differ.
#[track_caller]
pub(crate) fn assert_same(read: &Facts, meant: &Facts, message: &[u8], reader: &str) {
    for (read, meant) in read.0.iter().zip(&meant.0) {
        assert!(
            read == meant,
            "{reader} reads\n  {read}\nwhere the message means\n  {meant}\n{}",
            String::from_utf8_lossy(message)
        );
    }
    assert_eq!(read.0.len(), meant.0.len(), "{reader}: {read:?}\n{meant:?}");
}
