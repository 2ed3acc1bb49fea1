//! An address is accepted exactly if the grammar allows it. Writing it and reading it again does
//! not change it.

use crate::address::Address;
use crate::fuzzing::cutter::Cutter;

/// The text before the first separator is an address. If there is more, the first two fields are
/// also the local part and the domain of another address.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let text = cutter.text();
    let address = text.parse::<Address>();
    assert_eq!(address.is_ok(), is_mailbox(&text), "{text:?}: {address:?}");
    match &address {
        Ok(address) => check_address(address),
        Err(error) => check_shown(&error.to_string()),
    }
    if !cutter.is_empty() {
        match Address::new(&text, &cutter.text()) {
            Ok(address) => check_address(&address),
            Err(error) => check_shown(&error.to_string()),
        }
    }
}

fn check_address(address: &Address) {
    let shown = address.to_string();
    assert_eq!(shown.parse().as_ref(), Ok(address));
    assert_eq!(format!("<{shown}>").parse().as_ref(), Ok(address));
    check_shown(&shown);
    assert_eq!(
        path_end(&format!("{shown}>")),
        Some(shown.len()),
        "{shown:?} leaves its brackets"
    );
    assert!(address.domain().len() <= 255 && shown.len() <= 498);
    assert_eq!(address.is_ascii(), shown.is_ascii());
}

fn check_shown(text: &str) {
    let is_hidden = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    assert!(!text.contains(is_hidden), "{text:?}");
}

/// Where a server that reads a path after `<` finds the `>`.
pub(super) fn path_end(path: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in path.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether a text, with or without angle brackets, is a Mailbox by RFC 5321, 4.1.2, that fits a
/// command line. The letters of RFC 6531 and the underscores of internal networks are allowed.
fn is_mailbox(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    let Some((local, domain)) = inner.unwrap_or(text).rsplit_once('@') else {
        return false;
    };
    let quoted = local
        .strip_prefix('"')
        .and_then(|local| local.strip_suffix('"'));
    let Some(plain) = quoted.map_or_else(|| dot_string(local), quoted_string) else {
        return false;
    };
    let written = match dot_string(&plain) {
        Some(_) => plain.len(),
        None => plain.len() + 2 + plain.matches(['"', '\\']).count(),
    };
    let is_short = domain.len() <= 255 && written + 1 + domain.len() <= 498;
    is_short && !plain.is_empty() && (is_domain(domain) || is_literal(domain))
}

/// The local part, if it is a Dot-string.
fn dot_string(local: &str) -> Option<String> {
    let is_atext = |c: char| is_letter(c) || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atext);
    local.split('.').all(is_atom).then(|| local.to_owned())
}

/// The local part that a Quoted-string means. The text has no opening and closing quote.
fn quoted_string(quoted: &str) -> Option<String> {
    let mut plain = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        let is_pair = c == '\\';
        let c = if is_pair { chars.next()? } else { c };
        let is_text = matches!(c, ' '..='~') && (is_pair || c != '"');
        if !is_text && (is_pair || !is_letter(c)) {
            return None;
        }
        plain.push(c);
    }
    Some(plain)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let has_letters = label.chars().all(|c| is_letter(c) || "-_".contains(c));
        has_letters && (1..=63).contains(&label.len()) && label.trim_matches('-') == label
    };
    domain.split('.').all(is_label)
}

/// Whether a domain is an address literal. The standard library parses the addresses.
fn is_literal(domain: &str) -> bool {
    let inner = domain
        .strip_prefix('[')
        .and_then(|domain| domain.strip_suffix(']'));
    inner.is_some_and(|inner| match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
            inner[5..].parse::<std::net::Ipv6Addr>().is_ok()
        }
        _ => inner.parse::<std::net::Ipv4Addr>().is_ok(),
    })
}

/// Whether a character is a Let-dig, or a visible character outside ASCII that does not override
/// the direction of the text.
fn is_letter(c: char) -> bool {
    let is_invisible = c.is_control() || c.is_whitespace();
    let is_override =
        ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    c.is_ascii_alphanumeric() || !(c.is_ascii() || is_invisible || is_override)
}
