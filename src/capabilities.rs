//! [`Capabilities`]: what a server offers in its answer to EHLO.

use crate::reply::Reply;

/// The extensions that the server offers (RFC 5321, 4.1.1.1), from its newest answer to EHLO or
/// LHLO.
///
/// Keywords compare without regard to case; unknown ones are kept with their parameters.
///
/// ```no_run
/// # fn main() -> Result<(), smtplib::Error> {
/// # let smtp = smtplib::SmtpConnection::connect("localhost", 25)?;
/// if smtp.capabilities().has("DSN") {
///     println!("at most {:?} octets", smtp.capabilities().size_limit());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Keyword in upper case, parameters as they came.
    lines: Vec<(String, String)>,
}

impl Capabilities {
    /// Reads the answer to EHLO. The first line is the server's name and greeting, never a keyword.
    pub(crate) fn from_ehlo(reply: &Reply) -> Self {
        let lines = reply
            .lines()
            .skip(1)
            .filter_map(|line| parse_line(&line))
            .collect();
        Self { lines }
    }

    /// Whether the server offers the extension.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.param(keyword).is_some()
    }

    /// The parameters behind a keyword, as the server wrote them; empty if it has none, `None` if
    /// it is not offered.
    #[must_use]
    pub fn param(&self, keyword: &str) -> Option<&str> {
        self.iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(keyword))
            .map(|(_, params)| params)
    }

    /// The largest message the server takes, in octets (RFC 1870); `None` if it names no limit.
    #[must_use]
    pub fn size_limit(&self) -> Option<u64> {
        self.param("SIZE")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
            .filter(|limit| *limit > 0)
    }

    /// The SASL mechanisms offered, in upper case and each once (RFC 4954, 3); `AUTH=` is read like
    /// `AUTH`.
    pub fn auth_mechanisms(&self) -> impl Iterator<Item = &str> {
        let offered = self.iter().filter(|(name, _)| *name == "AUTH");
        let mut names: Vec<&str> = Vec::new();
        for name in offered.flat_map(|(_, params)| params.split_whitespace()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.into_iter()
    }

    /// All keywords in upper case with their parameters, in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .iter()
            .map(|(name, params)| (name.as_str(), params.as_str()))
    }
}

/// `KEYWORD params`. Some servers write `AUTH=LOGIN`, from a draft of RFC 2554, and others any
/// keyword so.
fn parse_line(line: &str) -> Option<(String, String)> {
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let is_keyword = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_keyword {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let params = rest.strip_prefix('=').unwrap_or(rest).trim();
    // Mechanism names are upper case by definition (RFC 4422, 3.1), whatever the server makes of
    // it.
    let params = if name == "AUTH" {
        params.to_ascii_uppercase()
    } else {
        params.to_owned()
    };
    Some((name, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::parser::ReplyParser;

    fn capabilities(lines: &[&str]) -> Capabilities {
        let mut parser = ReplyParser::default();
        for line in lines {
            assert_eq!(parser.push(format!("250-{line}\r\n").as_bytes()), Ok(None));
        }
        let reply = parser
            .push(b"250 HELP\r\n")
            .unwrap()
            .expect("the last line");
        Capabilities::from_ehlo(&reply)
    }

    // 5321-03, 5321-08, 5321-18, E1
    #[test]
    fn keywords_have_no_case_and_keep_their_parameters() {
        let offers = capabilities(&["mx", "8bitmime", "X-Unknown a  b", "size 1000"]);
        assert!(offers.has("8BITMIME") && offers.has("8bitMime") && offers.has("help"));
        assert_eq!(offers.param("x-unknown"), Some("a  b"));
        assert_eq!(offers.param("HELP"), Some(""));
        assert_eq!(offers.param("DSN"), None);
        assert_eq!(offers.size_limit(), Some(1000));
    }

    // 5321-18, E2: a server may be called what it likes.
    #[test]
    fn the_first_line_is_never_a_keyword() {
        let offers = capabilities(&["STARTTLS", "mx-starttls.example"]);
        assert!(!offers.has("STARTTLS"));
        assert_eq!(
            offers.iter().count(),
            1,
            "only HELP: a name with dots is no keyword"
        );
    }

    // 5321-20, 4954-01
    #[test]
    fn auth_in_both_spellings() {
        let offers = capabilities(&["mx", "AUTH=LOGIN PLAIN", "auth plain cram-md5"]);
        assert_eq!(
            offers.auth_mechanisms().collect::<Vec<_>>(),
            ["LOGIN", "PLAIN", "CRAM-MD5"]
        );
    }

    // 1870-01, E4, dialog 14
    #[test]
    fn size_without_a_usable_number_is_no_limit() {
        for line in [
            "SIZE",
            "SIZE 0",
            "SIZE -1",
            "SIZE many",
            "SIZE 99999999999999999999999",
            "X",
        ] {
            assert_eq!(capabilities(&["mx", line]).size_limit(), None, "{line}");
        }
        assert_eq!(
            capabilities(&["mx", "SIZE 18446744073709551615"]).size_limit(),
            Some(u64::MAX)
        );
    }

    // E3: what is no keyword is passed over.
    #[test]
    fn strange_lines_are_harmless() {
        let offers = capabilities(&[
            "mx",
            "",
            " ",
            "-x",
            "=",
            "Ok SESSIONID=<cyrus-1>",
            "caf\u{e9} x",
        ]);
        assert_eq!(
            offers.iter().collect::<Vec<_>>(),
            [("OK", "SESSIONID=<cyrus-1>"), ("HELP", "")]
        );
    }
}
