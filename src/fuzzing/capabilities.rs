//! Every reply to EHLO gives capabilities. Keywords have no case, and a line that follows the
//! grammar is never lost.

use crate::capabilities::{Capabilities, MAX_CAPABILITIES};
use crate::fuzzing::cutter::Cutter;
use crate::protocol::parser::ReplyParser;

/// The first field is a keyword to look up. The rest is the text of the reply, line by line.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let keyword = cutter.text();
    let lines: Vec<Vec<u8>> = cutter
        .rest()
        .split(|octet| *octet == b'\n')
        .map(clean)
        .collect();
    let Some(offers) = capabilities(&lines) else {
        return;
    };
    assert!(
        offers.iter().count() < lines.len(),
        "the first line is no keyword"
    );
    check_lookup(&offers, &keyword);
    offers.iter().for_each(|(name, _)| {
        assert!(is_keyword(name) && !name.contains(|c: char| c.is_ascii_lowercase()));
        check_lookup(&offers, name);
    });
    let kept = lines.iter().take(1 + MAX_CAPABILITIES).skip(1);
    kept.for_each(|line| check_line(&offers, line));
    check_size(&offers);
    check_mechanisms(&offers);
    check_case(&offers, &lines);
}

/// Removes CR and NUL, which a line of a reply cannot contain.
fn clean(line: &[u8]) -> Vec<u8> {
    line.iter()
        .copied()
        .filter(|octet| !matches!(octet, b'\r' | 0))
        .collect()
}

/// Reads the lines as a reply to EHLO; `None` if there are too many.
fn capabilities(lines: &[Vec<u8>]) -> Option<Capabilities> {
    let mut parser = ReplyParser::default();
    let (last, first) = lines.split_last()?;
    for line in first {
        parser
            .push(&[b"250-", line.as_slice(), b"\r\n"].concat())
            .ok()?;
    }
    let reply = parser
        .push(&[b"250 ", last.as_slice(), b"\r\n"].concat())
        .ok()?;
    Some(Capabilities::from_ehlo(&reply?, &[]))
}

/// All ways to look up a keyword agree, in upper and lower case.
fn check_lookup(offers: &Capabilities, keyword: &str) {
    let listed = offers
        .iter()
        .find(|(name, _)| *name == keyword.to_ascii_uppercase());
    for keyword in [
        keyword.to_owned(),
        keyword.to_ascii_lowercase(),
        keyword.to_ascii_uppercase(),
    ] {
        assert_eq!(offers.has(&keyword), listed.is_some());
        assert_eq!(offers.param(&keyword), listed.map(|(_, params)| params));
    }
}

/// A line that is an ehlo-line by RFC 5321, 4.1.1.1, is offered.
fn check_line(offers: &Capabilities, line: &[u8]) {
    let Ok(line) = std::str::from_utf8(line) else {
        return;
    };
    let words: Vec<&str> = line.split(' ').collect();
    let is_param =
        |word: &&str| !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_graphic());
    if is_keyword(words[0]) && words[1..].iter().all(is_param) {
        let offer = (words[0].to_ascii_uppercase(), words[1..].join(" "));
        let is_it = |(name, params): (&str, &str)| {
            name == offer.0
                && (params == offer.1 || name == "AUTH" && params.eq_ignore_ascii_case(&offer.1))
        };
        assert!(offers.iter().any(is_it), "{line:?} is lost");
    }
}

fn is_keyword(word: &str) -> bool {
    let is_inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    word.bytes().all(is_inner) && !word.is_empty() && !word.starts_with('-')
}

fn check_size(offers: &Capabilities) {
    let param = offers
        .param("SIZE")
        .and_then(|params| params.split_whitespace().next());
    let number: Option<u64> = param.and_then(|word| word.parse().ok());
    assert_eq!(offers.size_limit().unwrap_or(0), number.unwrap_or(0));
    assert_ne!(offers.size_limit(), Some(0));
}

fn check_mechanisms(offers: &Capabilities) {
    let names: Vec<&str> = offers.auth_mechanisms().collect();
    assert!(names.is_empty() || offers.has("AUTH"));
    for (number, name) in names.iter().enumerate() {
        assert!(!name.is_empty() && !name.contains(char::is_whitespace));
        assert_eq!(*name, name.to_ascii_uppercase());
        assert!(!names[..number].contains(name), "{name} twice");
    }
}

/// The same reply in capitals offers the same.
fn check_case(offers: &Capabilities, lines: &[Vec<u8>]) {
    let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.to_ascii_uppercase()).collect();
    let capitals = capabilities(&lines).unwrap();
    let names = |offers: &Capabilities| {
        offers
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(offers), names(&capitals));
    assert_eq!(offers.size_limit(), capitals.size_limit());
    assert!(offers.auth_mechanisms().eq(capitals.auth_mechanisms()));
}
