//! Reading address lists (RFC 5322, 3.4) in the forms that configuration files and the headers of
//! other messages have.

use std::str::FromStr;

use crate::message::address_list::{AddressList, Group, ListEntry};
use crate::message::error::MailboxError;
use crate::message::mailbox::Mailbox;
use crate::message::phrase::Phrase;

impl FromStr for AddressList {
    type Err = MailboxError;

    /// Reads mailboxes and groups with commas or semicolons between them; empty entries are left
    /// out.
    fn from_str(text: &str) -> Result<Self, MailboxError> {
        parse(text)
    }
}

fn parse(text: &str) -> Result<AddressList, MailboxError> {
    let mut parser = Parser { rest: text };
    let mut list = AddressList::new();
    loop {
        let (entry, end) = parser.entry()?;
        match end {
            End::GroupName => list.push(ListEntry::Group(parser.group(&entry)?)),
            End::Comma | End::Semicolon | End::Text => {
                if let Some(mailbox) = mailbox(&entry)? {
                    list.push(ListEntry::Mailbox(mailbox));
                }
            }
        }
        if matches!(end, End::Text) {
            return Ok(list);
        }
    }
}

/// The separator that ends an entry.
#[derive(Clone, Copy, Debug)]
enum End {
    Comma,
    GroupName,
    Semicolon,
    Text,
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    /// Reads up to the next separator. Comments are left out (RFC 5322, 3.2.2). White space,
    /// including line ends, becomes one space.
    fn entry(&mut self) -> Result<(String, End), MailboxError> {
        let mut entry = String::new();
        let mut is_in_brackets = false;
        while let Some(c) = self.next() {
            match c {
                '"' => self.quoted(&mut entry)?,
                '(' => {
                    self.comment()?;
                    space(&mut entry);
                }
                ' ' | '\t' | '\r' | '\n' => space(&mut entry),
                ',' if !is_in_brackets => return Ok((entry, End::Comma)),
                ';' if !is_in_brackets => return Ok((entry, End::Semicolon)),
                ':' if !is_in_brackets => return Ok((entry, End::GroupName)),
                c => {
                    is_in_brackets =
                        matches!(c, '<' | '[') || is_in_brackets && c != '>' && c != ']';
                    entry.push(c);
                }
            }
        }
        Ok((entry, End::Text))
    }

    /// Reads the members of a group up to its semicolon.
    fn group(&mut self, name: &str) -> Result<Group, MailboxError> {
        let name = name.trim_matches(' ');
        let phrase = Phrase::read_words(name).map_err(|error| listed(name, error))?;
        let mut members = Vec::new();
        loop {
            let (entry, end) = self.entry()?;
            if matches!(end, End::GroupName | End::Text) {
                return Err(listed(phrase.as_str(), MailboxError::UnclosedGroup));
            }
            members.extend(mailbox(&entry)?);
            if matches!(end, End::Semicolon) {
                return Group::named(phrase, members).map_err(|error| listed(name, error));
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// Copies a quoted string, whose opening quote is already read. Separators in it have no
    /// meaning.
    fn quoted(&mut self, entry: &mut String) -> Result<(), MailboxError> {
        entry.push('"');
        while let Some(c) = self.next() {
            entry.push(c);
            match c {
                '"' => return Ok(()),
                '\\' => entry.extend(self.next()),
                _ => {}
            }
        }
        Err(listed(entry, MailboxError::Unquoted))
    }

    /// Leaves out a comment, whose opening parenthesis is already read, and the comments within it.
    fn comment(&mut self) -> Result<(), MailboxError> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next().ok_or(MailboxError::UnclosedComment)? {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => drop(self.next()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn space(entry: &mut String) {
    if !entry.is_empty() && !entry.ends_with(' ') {
        entry.push(' ');
    }
}

/// Reads one entry; `None` if it is empty (RFC 5322, obs-addr-list).
fn mailbox(entry: &str) -> Result<Option<Mailbox>, MailboxError> {
    let entry = entry.trim_matches(' ');
    if entry.is_empty() {
        return Ok(None);
    }
    Mailbox::from_entry(entry)
        .map(Some)
        .map_err(|error| listed(entry, error))
}

/// The error with the entry that it is about.
fn listed(entry: &str, error: MailboxError) -> MailboxError {
    MailboxError::Entry {
        entry: entry.trim_matches(' ').into(),
        reason: Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let list = match parse(text) {
            Ok(list) => list,
            Err(error) => return error.to_string(),
        };
        let entries = list.iter().map(|entry| match entry {
            ListEntry::Mailbox(mailbox) => mailbox.to_string(),
            ListEntry::Group(group) => {
                let members: Vec<String> =
                    group.members().iter().map(ToString::to_string).collect();
                format!("{}: [{}]", group.name(), members.join("|"))
            }
        });
        entries.collect::<Vec<_>>().join(" | ")
    }

    /// A3.
    #[test]
    fn lists_are_read_as_the_grammar_has_them() {
        for (text, meant) in [
            ("a@x", "a@x"),
            (
                "Alice <a@x.example>, Bob <b@x.example>",
                "Alice <a@x.example> | Bob <b@x.example>",
            ),
            (
                "\"Doe, Jane\" <j@x.example>,b@x.example",
                "\"Doe, Jane\" <j@x.example> | b@x.example",
            ),
            ("a@x;b@x; c@x", "a@x | b@x | c@x"),
            (" , a@x,, b@x , ", "a@x | b@x"),
            ("", ""),
            ("a@x,\r\n\tb@x,\nc@x\n", "a@x | b@x | c@x"),
            ("a@x (Alice, (who) \\) else), (b@x) b@x", "a@x | b@x"),
            ("Alice (the first) Liddell <a@x>", "Alice Liddell <a@x>"),
            (
                "Friends, old: a@x, \"B, C\" <b@x>;, c@x",
                "\"Friends\" in the list: the address has no @",
            ),
            (
                "\"Friends, old\": a@x, \"B, C\" <b@x>;, c@x",
                "Friends, old: [a@x|\"B, C\" <b@x>] | c@x",
            ),
            ("undisclosed-recipients:;", "undisclosed-recipients: []"),
            ("G:a@x;b@x", "G: [a@x] | b@x"),
            ("a@[IPv6:2001:db8::1], b@x", "a@[IPv6:2001:db8::1] | b@x"),
            ("\"a,b\"@x, <\"c>d\"@x>", "\"a,b\"@x | \"c>d\"@x"),
            ("J. \"Q, R\" Public <j@x>", "\"J. Q, R Public\" <j@x>"),
            ("=?utf-8?q?Zo=C3=AB?= <z@x>, b@x", "Zoë <z@x> | b@x"),
            ("Zoë Müller < z@x >", "Zoë Müller <z@x>"),
            (
                "\"Dr.\" (who) =?koi8-r?b?9MXT1A==?=\r\n <t@x>",
                "\"Dr.\" =?koi8-r?b?9MXT1A==?= <t@x>",
            ),
            (
                "=?gb2312?q?=C4?= =?gb2312?q?=E3?= <z@x>, =?x?q?a?=: b@x;",
                "=?gb2312?q?=C4?= =?gb2312?q?=E3?= <z@x> | =?x?q?a?=: [b@x]",
            ),
        ] {
            assert_eq!(read(text), meant, "{text:?}");
        }
    }

    /// A3: an error names the entry.
    #[test]
    fn what_is_no_list_is_refused() {
        for (text, sentence) in [
            ("a@x, bob", "\"bob\" in the list: the address has no @"),
            (
                "a@x b@x",
                "\"a@x b@x\" in the list: the character ' ' does not belong in an address",
            ),
            (
                "\"Doe <j@x>, b@x",
                r#""\"Doe <j@x>, b@x" in the list: the quotes around the display name are not closed"#,
            ),
            ("a@x (oops", "a comment in parentheses is not closed"),
            ("G: a@x", "\"G\" in the list: the group has no ; at its end"),
            (
                "G: H: a@x;;",
                "\"G\" in the list: the group has no ; at its end",
            ),
            (
                ": a@x;",
                "\"\" in the list: the group has no name, give it one",
            ),
            (
                "a@x\r\nBcc: eve@x",
                "\"a@x Bcc\" in the list: the character '@' in a display name needs quotes around the name, or give name and address as a pair",
            ),
            (
                "\"a\rb\" <a@x>",
                r#""\"a\rb\" <a@x>" in the list: the character '\r' cannot stand in a name, leave it out"#,
            ),
            (
                "a@x\0, b@x",
                r#""a@x\0" in the list: the character '\0' does not belong in an address"#,
            ),
        ] {
            assert_eq!(read(text), sentence, "{text:?}");
        }
        assert_eq!(
            read(&"(".repeat(1 << 20)),
            "a comment in parentheses is not closed"
        );
        assert!(parse(&"a@x,".repeat(100_000)).is_ok());
    }
}
