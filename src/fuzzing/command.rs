//! With any arguments, a command is refused or is one line.

use crate::address::Address;
use crate::command_error::CommandError;
use crate::fuzzing::address::path_end;
use crate::fuzzing::cutter::Cutter;
use crate::parameter::Parameter;
use crate::protocol::command::{self, Announced, HelloName};

/// The fields are an address, a text that is used as EHLO name and as command, and parameters.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let address = cutter.text().parse::<Address>().ok();
    let text = cutter.text();
    let mut parameters = Vec::new();
    while !cutter.is_empty() {
        parameters.extend(check_parameter(&cutter.text()));
    }

    check_hello(&text);
    check_custom(&text);
    let mut line = Vec::new();
    let mail = command::mail(
        &mut line,
        address.as_ref(),
        &parameters,
        &Announced::default(),
    )
    .map(|()| line);
    check_path("MAIL FROM:<", address.as_ref(), &parameters, mail);
    if let Some(address) = &address {
        let mut line = Vec::new();
        let rcpt = command::rcpt(&mut line, address, &parameters).map(|()| line);
        check_path("RCPT TO:<", Some(address), &parameters, rcpt);
    }
}

/// The line of a command, without its line end.
fn line(octets: &[u8], limit: usize) -> &str {
    assert!(octets.len() <= limit, "{} octets", octets.len());
    let line = std::str::from_utf8(octets)
        .unwrap()
        .strip_suffix("\r\n")
        .expect("a line end");
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

fn check_parameter(text: &str) -> Option<Parameter> {
    let parameter: Parameter = text.parse().ok()?;
    let shown = parameter.to_string();
    assert!(shown.eq_ignore_ascii_case(text));
    assert!(
        shown.bytes().all(|octet| octet.is_ascii_graphic()),
        "{shown:?}"
    );
    assert_eq!(shown.parse().as_ref(), Ok(&parameter));
    assert_eq!(
        Parameter::new(parameter.keyword(), parameter.value()).as_ref(),
        Ok(&parameter)
    );
    assert!(
        !parameter
            .keyword()
            .contains(|c: char| c.is_ascii_lowercase() || c == '=')
    );
    Some(parameter)
}

fn check_hello(name: &str) {
    let Ok(parsed) = name.parse::<HelloName>() else {
        return;
    };
    for verb in ["EHLO", "HELO", "LHLO"] {
        let octets = command::hello(verb, &parsed);
        let line = line(&octets, 512);
        assert_eq!(line.strip_prefix(verb), Some(format!(" {name}").as_str()));
        assert!(!name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic()));
    }
}

fn check_custom(text: &str) {
    match command::custom(text.to_owned()) {
        Ok(octets) => {
            assert_eq!(line(&octets, 512), text);
            let verb = text
                .split_ascii_whitespace()
                .next()
                .expect("a verb")
                .to_ascii_uppercase();
            let is_ours = "AUTH BDAT BURL DATA EHLO HELO LHLO MAIL QUIT RCPT RSET STARTTLS"
                .split(' ')
                .any(|own| own == verb);
            assert!(!is_ours, "{text:?}");
        }
        Err(error) => {
            let is_needed = match error {
                CommandError::Control(c) => c.is_control() && text.contains(c),
                CommandError::Burl => text.to_ascii_uppercase().starts_with("BURL"),
                CommandError::Empty => text.is_empty() || text.starts_with(' '),
                CommandError::Reserved(verb) => text.to_ascii_uppercase().starts_with(verb),
                CommandError::TooLong { limit } => limit == 512 && text.len() > 510,
                _ => false,
            };
            assert!(is_needed, "{text:?}: {error}");
        }
    }
}

/// A server that reads the MAIL or RCPT line finds what was put into it.
fn check_path(
    verb: &str,
    address: Option<&Address>,
    parameters: &[Parameter],
    octets: Result<Vec<u8>, CommandError>,
) {
    let limit = 512 + parameters.iter().map(allowance).sum::<usize>();
    let octets = match octets {
        Ok(octets) => octets,
        Err(error) => return assert_eq!(error, CommandError::TooLong { limit }),
    };
    let path = line(&octets, limit).strip_prefix(verb).expect("the verb");
    let end = path_end(path).expect("the end of the path");
    assert_eq!(path[..end].parse().ok().as_ref(), address);
    assert_eq!(path[..end].is_empty(), address.is_none());
    let words = path[end + 1..].split(' ').skip(1);
    let read: Vec<Parameter> = words.map(|word| word.parse().unwrap()).collect();
    assert_eq!(read, parameters);
}

/// How much RFC 1870, 2852, 3461, 3865, 4865, 4954, 6152, 6531, 6710 and 8689 add to the longest
/// command line.
fn allowance(parameter: &Parameter) -> usize {
    let table = [
        ("SIZE", 26),
        ("BODY", 17),
        ("SMTPUTF8", 10),
        ("RET", 8),
        ("ENVID", 107),
        ("NOTIFY", 28),
        ("ORCPT", 500),
        ("AUTH", 500),
        ("BY", 17),
        ("HOLDFOR", 34),
        ("HOLDUNTIL", 34),
        ("MT-PRIORITY", 15),
        ("REQUIRETLS", 11),
        ("SOLICIT", 1007),
    ];
    let entry = table
        .iter()
        .find(|(keyword, _)| *keyword == parameter.keyword());
    entry.map_or(0, |(_, octets)| *octets)
}
