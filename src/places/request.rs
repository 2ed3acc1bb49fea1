//! [`Request`]: a command line, read by a server.

use crate::address::Address;
use crate::parameter::Parameter;
use crate::places::store::Answer;

/// A command, with its arguments read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Bdat { size: u64, is_last: bool },
    Data,
    Ehlo,
    Helo,
    Help,
    Lhlo,
    Mail(Option<Address>, Vec<Parameter>),
    Noop,
    Quit,
    Rcpt(Address, Vec<Parameter>),
    Rset,
    Vrfy,
}

impl Request {
    /// Reads a line without its CRLF.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Answer> {
        let line = std::str::from_utf8(line).map_err(|_| syntax("the command is not UTF-8"))?;
        if line.contains(char::is_control) {
            return Err(syntax("the command has a control character"));
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "BDAT" => chunk(rest),
            "DATA" => alone(rest, Self::Data),
            "EHLO" => named(rest, Self::Ehlo),
            "HELO" => named(rest, Self::Helo),
            "HELP" => Ok(Self::Help),
            "LHLO" => named(rest, Self::Lhlo),
            "MAIL" => mail(rest),
            "NOOP" => Ok(Self::Noop),
            "QUIT" => alone(rest, Self::Quit),
            "RCPT" => rcpt(rest),
            "RSET" => alone(rest, Self::Rset),
            "VRFY" => Ok(Self::Vrfy),
            _ => Err(Answer::new(502, "5.5.1 there is no such command here")),
        }
    }
}

fn syntax(text: &str) -> Answer {
    Answer::new(500, format!("5.5.2 {text}"))
}

fn arguments(text: &str) -> Answer {
    Answer::new(501, format!("5.5.4 {text}"))
}

fn alone(rest: &str, verb: Request) -> Result<Request, Answer> {
    match rest.trim_end() {
        "" => Ok(verb),
        _ => Err(arguments("the command has no arguments")),
    }
}

fn named(rest: &str, verb: Request) -> Result<Request, Answer> {
    match rest.trim() {
        "" => Err(arguments("the client's name is missing")),
        _ => Ok(verb),
    }
}

/// `BDAT 1000 LAST` (RFC 3030, 2).
fn chunk(rest: &str) -> Result<Request, Answer> {
    let (size, last) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_number = size.bytes().all(|octet| octet.is_ascii_digit());
    let size = size.parse().ok().filter(|_| is_number);
    let is_last = last.eq_ignore_ascii_case("LAST");
    match size {
        Some(size) if is_last || last.is_empty() => Ok(Request::Bdat { size, is_last }),
        // The bytes that follow could not be told from commands.
        _ => Err(Answer::new(421, "4.5.4 the size of the chunk is no number")),
    }
}

fn mail(rest: &str) -> Result<Request, Answer> {
    let (address, parameters) = path(rest, "FROM:")?;
    Ok(Request::Mail(address, parameters))
}

fn rcpt(rest: &str) -> Result<Request, Answer> {
    let (address, parameters) = path(rest, "TO:")?;
    let address = address.ok_or_else(|| bad_address("the recipient is missing"))?;
    Ok(Request::Rcpt(address, parameters))
}

fn bad_address(text: &str) -> Answer {
    Answer::new(501, format!("5.1.3 {text}"))
}

/// `FROM:<address>` with its parameters.
fn path(rest: &str, keyword: &str) -> Result<(Option<Address>, Vec<Parameter>), Answer> {
    let start = rest.get(..keyword.len()).unwrap_or_default();
    let path = rest.get(keyword.len()..).unwrap_or_default();
    let (address, parameters) = split_path(path)
        .filter(|_| start.eq_ignore_ascii_case(keyword))
        .ok_or_else(|| arguments(&format!("{keyword}<address> was expected")))?;
    let address = match address {
        "" => None,
        text => {
            let read = text.parse::<Address>();
            Some(read.map_err(|error| bad_address(&error.to_string()))?)
        }
    };
    Ok((address, read_parameters(parameters)?))
}

/// The text in the brackets, and the text after them. A quoted local part may have a bracket.
fn split_path(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('<')?;
    let (mut is_quoted, mut is_escaped) = (false, false);
    let end = text.bytes().position(|octet| {
        let is_end = octet == b'>' && !is_quoted;
        is_quoted ^= octet == b'"' && !is_escaped;
        is_escaped = octet == b'\\' && is_quoted && !is_escaped;
        is_end
    })?;
    let parameters = text.get(end + 1..)?;
    let is_apart = parameters.is_empty() || parameters.starts_with(' ');
    is_apart.then_some((text.get(..end)?, parameters))
}

fn read_parameters(text: &str) -> Result<Vec<Parameter>, Answer> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let parameter: Parameter = word.parse().map_err(|_| arguments("bad parameter"))?;
        let mut others = parameters.iter();
        if others.any(|other| other.keyword() == parameter.keyword()) {
            return Err(arguments("a parameter is given twice"));
        }
        parameters.push(parameter);
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn commands() {
        let parameters = |texts: &[&str]| -> Vec<Parameter> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (line, verb) in [
            (
                "BDAT 0",
                Request::Bdat {
                    size: 0,
                    is_last: false,
                },
            ),
            (
                "bdat 86 last",
                Request::Bdat {
                    size: 86,
                    is_last: true,
                },
            ),
            ("data", Request::Data),
            ("EHLO [127.0.0.1]", Request::Ehlo),
            ("MAIL FROM:<>", Request::Mail(None, vec![])),
            (
                "mail from:<a@b.example> SIZE=7 body=8BITMIME",
                Request::Mail(
                    Some(address("a@b.example")),
                    parameters(&["SIZE=7", "BODY=8BITMIME"]),
                ),
            ),
            (
                r#"RCPT TO:<"a>\"b"@b.example>"#,
                Request::Rcpt(Address::new(r#"a>"b"#, "b.example").unwrap(), vec![]),
            ),
            (
                "RCPT TO:<jö@b.example> NOTIFY=NEVER",
                Request::Rcpt(address("jö@b.example"), parameters(&["NOTIFY=NEVER"])),
            ),
            ("NOOP whatever it is", Request::Noop),
            ("QUIT ", Request::Quit),
        ] {
            assert_eq!(Request::parse(line.as_bytes()), Ok(verb), "{line}");
        }
    }

    #[test]
    fn what_is_no_command_has_its_code() {
        for (line, code) in [
            (&b""[..], 502),
            (b"AUTH PLAIN", 502),
            (b"STARTTLS", 502),
            (b"NOOP \xff", 500),
            (b"NOOP \0", 500),
            (b"NOOP\n", 500),
            (b"EHLO", 501),
            (b"EHLO  ", 501),
            (b"DATA now", 501),
            (b"BDAT", 421),
            (b"BDAT +1", 421),
            (b"BDAT 99999999999999999999", 421),
            (b"BDAT 1 LAST LAST", 421),
            (b"MAIL FROM: <a@b.example>", 501),
            (b"MAIL FROM:a@b.example", 501),
            (b"MAIL TO:<a@b.example>", 501),
            (b"MAIL FROM:<a@b.example>SIZE=1", 501),
            (b"MAIL FROM:<a@b.example> SIZE=1 SIZE=2", 501),
            (b"MAIL FROM:<a@b.example> SIZE=", 501),
            (b"MAIL FROM:<a b@b.example>", 501),
            (b"MAIL FROM:<\"a@b.example>", 501),
            (b"RCPT TO:<>", 501),
            (b"RCPT TO:<postmaster>", 501),
        ] {
            let read = Request::parse(line);
            let shown = String::from_utf8_lossy(line);
            assert_eq!(read.map_err(|answer| answer.code), Err(code), "{shown}");
        }
    }
}
