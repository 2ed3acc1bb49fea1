//! [`Capabilities`]: the extensions in a server's reply to EHLO.

use crate::reply::Reply;

/// How many lines of a reply to EHLO are kept. Real servers send about thirty.
pub(crate) const MAX_CAPABILITIES: usize = 200;
/// How many names of SASL mechanisms are kept. Real servers offer up to ten.
pub(crate) const MAX_MECHANISMS: usize = 100;

/// The extensions that the server offers (RFC 5321, 4.1.1.1), from its last reply to EHLO or LHLO.
///
/// Keywords are compared without case. Unknown keywords are kept with their parameters. At most 200
/// lines and 100 mechanisms are kept.
///
/// ```no_run
/// # fn main() -> Result<(), smtplib::Error> {
/// # let smtp = smtplib::SmtpConnection::connect("localhost", 25)?;
/// if smtp.capabilities().has("DSN") {
///     println!("at most {:?} bytes", smtp.capabilities().size_limit());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The keywords in upper case, with their parameters. Those of AUTH are in upper case, too.
    lines: Vec<(String, String)>,
    known: Known,
    /// The names after AUTH, in upper case and without duplicates.
    mechanisms: Vec<String>,
}

/// The extensions that the library needs to know for every message, looked up once per EHLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    binarymime: bool,
    chunking: bool,
    eight_bit: bool,
    pipelining: bool,
    size: bool,
    size_limit: Option<u64>,
    smtputf8: bool,
    limits: Limits,
}

/// The limits of one connection (RFC 9422). `None` means that the server names no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Transactions on one connection.
    pub(crate) mail_max: Option<u64>,
    /// Recipients of one transaction.
    pub(crate) rcpt_max: Option<u64>,
}

impl Capabilities {
    /// Reads the reply to EHLO, and leaves out the keywords in `ignored`, which are in upper case.
    /// The first line is the server's name and greeting, never a keyword.
    pub(crate) fn from_ehlo(reply: &Reply, ignored: &[String]) -> Self {
        let lines: Vec<_> = reply
            .lines()
            .skip(1)
            .filter_map(|line| parse_line(&line))
            .filter(|(name, _)| !ignored.contains(name))
            .take(MAX_CAPABILITIES)
            .collect();
        Self {
            known: Known::of(&lines, ignored),
            mechanisms: mechanisms(&lines),
            lines,
        }
    }

    /// Returns true if the server offers the extension.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.param(keyword).is_some()
    }

    /// Returns the parameters of a keyword, as the server wrote them.
    ///
    /// The text is empty if there are none. `None` means that the extension is not offered. The
    /// mechanisms of AUTH are in upper case.
    #[must_use]
    pub fn param(&self, keyword: &str) -> Option<&str> {
        param(&self.lines, keyword)
    }

    /// Returns the size of the largest message that the server takes, in bytes (RFC 1870).
    ///
    /// `None` means that the server names no limit.
    #[must_use]
    pub fn size_limit(&self) -> Option<u64> {
        self.known.size_limit
    }

    /// Returns the SASL mechanisms that the server offers (RFC 4954, 3). They are in upper case and
    /// without duplicates. `AUTH=` is read like `AUTH`.
    pub fn auth_mechanisms(&self) -> impl Iterator<Item = &str> {
        self.mechanisms.iter().map(String::as_str)
    }

    /// Returns all keywords in upper case with their parameters, in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .iter()
            .map(|(name, params)| (name.as_str(), params.as_str()))
    }
}

macro_rules! known {
    ($($(#[$doc:meta])* $name:ident: $type:ty),* $(,)?) => {
        /// These are needed for every message, so each is a field and not a search.
        impl Capabilities {
            $($(#[$doc])*
            #[allow(dead_code, reason = "the engine asks for what it uses")]
            pub(crate) fn $name(&self) -> $type {
                self.known.$name
            })*
        }
    };
}

known! {
    /// BINARYMIME (RFC 3030).
    binarymime: bool,
    /// CHUNKING (RFC 3030).
    chunking: bool,
    /// 8BITMIME (RFC 6152).
    eight_bit: bool,
    /// LIMITS (RFC 9422).
    limits: Limits,
    /// PIPELINING (RFC 2920).
    pipelining: bool,
    /// SIZE, with a limit or without (RFC 1870).
    size: bool,
    /// SMTPUTF8 (RFC 6531).
    smtputf8: bool,
}

impl Known {
    fn of(lines: &[(String, String)], ignored: &[String]) -> Self {
        let has = |keyword: &str| param(lines, keyword).is_some();
        Self {
            binarymime: has("BINARYMIME"),
            chunking: has("CHUNKING"),
            // SMTPUTF8 includes 8BITMIME (RFC 6531, 3.1), unless the caller ignores 8BITMIME.
            eight_bit: has("8BITMIME")
                || has("SMTPUTF8") && !ignored.iter().any(|keyword| keyword == "8BITMIME"),
            pipelining: has("PIPELINING"),
            size: has("SIZE"),
            size_limit: param(lines, "SIZE").and_then(size_limit),
            smtputf8: has("SMTPUTF8"),
            limits: param(lines, "LIMITS").map(Limits::of).unwrap_or_default(),
        }
    }
}

impl Limits {
    /// A limit with a bad value is ignored; if the grammar is broken, all are (RFC 9422, 3.7).
    fn of(params: &str) -> Self {
        let pairs = params.split_whitespace().map(|pair| pair.split_once('='));
        let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else {
            return Self::default();
        };
        let limit = |name: &str| {
            let mut pairs = pairs.iter();
            let (_, value) = pairs.find(|(limit, _)| limit.eq_ignore_ascii_case(name))?;
            limit_value(value)
        };
        Self {
            mail_max: limit("MAILMAX"),
            rcpt_max: limit("RCPTMAX"),
        }
    }
}

/// The parameters of a keyword.
#[inline(never)]
fn param<'l>(lines: &'l [(String, String)], keyword: &str) -> Option<&'l str> {
    let mut lines = lines.iter();
    let line = lines.find(|(name, _)| name.eq_ignore_ascii_case(keyword))?;
    Some(&line.1)
}

/// Reads a limit: one to six digits, and the first is not 0 (RFC 9422, 4.1).
fn limit_value(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    let is_value = matches!(text.len(), 1..=6) && is_number && !text.starts_with('0');
    text.parse().ok().filter(|_| is_value)
}

/// Reads the limit of SIZE. 0 means no limit (RFC 1870, 4).
fn size_limit(params: &str) -> Option<u64> {
    let number = params.split_whitespace().next()?.parse().ok();
    number.filter(|limit| *limit > 0)
}

/// The names after AUTH, without duplicates.
fn mechanisms(lines: &[(String, String)]) -> Vec<String> {
    let offered = lines.iter().filter(|(name, _)| name == "AUTH");
    let mut names: Vec<String> = Vec::new();
    for name in offered.flat_map(|(_, params)| params.split_whitespace()) {
        if names.len() == MAX_MECHANISMS {
            break;
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Reads `KEYWORD params`. Some servers write `AUTH=LOGIN`, from a draft of RFC 2554. Others write
/// any keyword in this way.
fn parse_line(line: &str) -> Option<(String, String)> {
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !is_keyword(name) {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let params = rest.strip_prefix('=').unwrap_or(rest).trim();
    // Mechanism names are always upper case (RFC 4422, 3.1), even if the server writes them
    // differently.
    let params = if name == "AUTH" {
        params.to_ascii_uppercase()
    } else {
        params.to_owned()
    };
    Some((name, params))
}

/// Whether it is a keyword of EHLO (RFC 5321, 4.1.1.1).
pub(crate) fn is_keyword(text: &str) -> bool {
    let is_octet = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    !text.starts_with('-') && !text.is_empty() && text.bytes().all(is_octet)
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
        Capabilities::from_ehlo(&reply, &[])
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

    // 5321-18, E2: a server may have any name.
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

    // Field E10: only the beginning of a hundred kilobytes of AUTH is kept.
    #[test]
    fn what_is_kept_of_an_endless_answer_is_bounded() {
        let names = |line: usize| (0..400).map(move |n| format!(" M{line}X{n}"));
        let lines: Vec<String> = (0..30)
            .map(|line| format!("AUTH{}", names(line).collect::<String>()))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let offers = capabilities(&[&["mx"], lines.as_slice()].concat());
        assert_eq!(offers.auth_mechanisms().count(), MAX_MECHANISMS);
        let lines = ["mx"].into_iter().chain(std::iter::repeat_n("X-ONE", 1000));
        let offers = capabilities(&lines.collect::<Vec<_>>());
        assert_eq!(offers.iter().count(), MAX_CAPABILITIES);
    }

    /// The longest reply of AUTH lines. Its mechanism names are all different or all the same.
    fn endless(is_new: bool) -> Reply {
        let name = |n: usize| format!(" M{}", if is_new { n } else { 0 });
        let line = |n: usize| format!("250-AUTH{}\r\n", (n..n + 500).map(name).collect::<String>());
        let lines: String = (0..)
            .map(|n| line(500 * n))
            .take(if is_new { 35 } else { 80 })
            .collect();
        let text = format!("250-mx\r\n{lines}250 HELP\r\n");
        assert!(text.len() > 110_000, "{}", text.len());
        let mut input = crate::protocol::line::LineBuffer::default();
        input.extend(text.as_bytes());
        let mut parser = ReplyParser::default();
        parser.next_reply(&mut input, 4096).unwrap().unwrap()
    }

    // Field E10: such a reply takes a few milliseconds. It took a tenth of a second, optimized, when each
    // name was compared with all others, and several times that as tests are built. The limit is far from
    // both.
    #[test]
    fn an_endless_answer_costs_no_more_than_its_length() {
        for reply in [endless(true), endless(false)] {
            let begun = std::time::Instant::now();
            for _ in 0..100 {
                let offers = Capabilities::from_ehlo(&reply, &[]);
                assert!(offers.auth_mechanisms().count() <= MAX_MECHANISMS);
            }
            let took = begun.elapsed();
            assert!(took.as_secs() < 15, "it took {took:?}");
        }
    }

    // Field C5: an ignored keyword counts as if the server had not sent it.
    #[test]
    fn ignored_keywords_are_not_offered() {
        let text = b"250-mx\r\n250-PIPELINING\r\n250-size 1000\r\n250-AUTH PLAIN\r\n250 DSN\r\n";
        let mut input = crate::protocol::line::LineBuffer::default();
        input.extend(text);
        let mut parser = ReplyParser::default();
        let reply = parser.next_reply(&mut input, 1000).unwrap().unwrap();
        let ignored = ["PIPELINING", "SIZE", "AUTH"].map(str::to_owned);
        let offers = Capabilities::from_ehlo(&reply, &ignored);
        assert_eq!(offers.iter().collect::<Vec<_>>(), [("DSN", "")]);
        assert!(!offers.pipelining() && !offers.size());
        assert_eq!(offers.size_limit(), None);
        assert_eq!(offers.auth_mechanisms().count(), 0);
        assert!(Capabilities::from_ehlo(&reply, &[]).pipelining());
    }

    // 9422-02 to 9422-04
    #[test]
    fn limits() {
        let limits = |line| {
            let limits = capabilities(&["mx", line]).limits();
            (limits.mail_max, limits.rcpt_max)
        };
        assert_eq!(
            limits("LIMITS MAILMAX=20 rcptmax=100 RCPTDOMAINMAX=1"),
            (Some(20), Some(100))
        );
        assert_eq!(
            limits("LIMITS RCPTMAX=0 MAILMAX=many MAILMAX"),
            (None, None)
        );
        assert_eq!(limits("X"), (None, None));
    }

    // E3: a line without a valid keyword is skipped.
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
