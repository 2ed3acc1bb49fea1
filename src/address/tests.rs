use super::AddressError::{
    Domain, Dot, Empty, Forbidden, List, LocalPart, MissingAt, Named, NeedsQuotes, Unquoted,
};
use super::*;
use std::hash::DefaultHasher;

fn shown(text: &str) -> String {
    let address: Address = text
        .parse()
        .unwrap_or_else(|error| panic!("{text:?}: {error}"));
    address.to_string()
}

fn refused(text: &str) -> AddressError {
    match text.parse::<Address>() {
        Ok(address) => panic!("{text:?}: {address}"),
        Err(error) => error,
    }
}

// 5321-34, 5321-38
#[test]
fn what_is_an_address_stays_as_it_is() {
    for text in [
        "a@b",
        "zoe@example.org",
        "Zoe.Smith+News=1@Example.ORG",
        "!#$%&'*+-/=?^_`{|}~@example.org",
        "1@2.3",
        "a@xn--bcher-kva.example",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "a@[ipv6:::ffff:192.0.2.1]",
        "z\u{f6}@example.org",
        "\u{5b57}@\u{5b57}.example",
        r#""john doe"@example.org"#,
        r#"" "@example.org"#,
        r#""a@b"@example.org"#,
        r#""a> NOTIFY=NEVER <b"@example.org"#,
        r#""a\"b\\c"@example.org"#,
        r#"".a"@example.org"#,
        r#""a..b"@example.org"#,
        r#""a."@example.org"#,
        r#""a,b;c:d(e)[f]"@example.org"#,
    ] {
        assert_eq!(shown(text), text);
    }
}

// 5321-04, 5321-35: quotes where they are needed; the bytes of the local part stay unchanged.
#[test]
fn quotes_stand_where_they_are_needed() {
    for (text, expected) in [
        (r#""joe"@example.org"#, "joe@example.org"),
        (r#""j\o\e"@example.org"#, "joe@example.org"),
        (r#""joe.bloggs"@example.org"#, "joe.bloggs@example.org"),
        (r#""a\ b"@example.org"#, r#""a b"@example.org"#),
        ("<joe@example.org>", "joe@example.org"),
        (r#"<"a b"@example.org>"#, r#""a b"@example.org"#),
    ] {
        assert_eq!(shown(text), expected);
    }
    let address = Address::new("a\"b\\c>", "example.org").unwrap();
    assert_eq!(address.to_string(), r#""a\"b\\c>"@example.org"#);
    assert_eq!(address.local_part(), "a\"b\\c>");
    assert_eq!(address.to_string().parse(), Ok(address));
}

// 5321-34, 5321-37, 5321bis-03, I4, I5
#[test]
fn what_is_no_address_is_refused() {
    for (text, expected) in [
        ("", Empty),
        ("<>", Empty),
        ("zoe", MissingAt),
        ("postmaster", MissingAt),
        ("@example.org", LocalPart),
        (".a@example.org", Dot),
        ("a.@example.org", Dot),
        ("a..b@example.org", Dot),
        (r#"""@example.org"#, LocalPart),
        ("a@", Domain),
        ("a@.example", Domain),
        ("a@example.", Domain),
        ("a@ex..ample", Domain),
        ("a@-example.org", Domain),
        ("a@example-.org", Domain),
        ("a@exa/mple.org", Forbidden('/')),
        ("a@b@c", Forbidden('@')),
        ("a@b c", Forbidden(' ')),
        ("a@example.org ", Forbidden(' ')),
        ("a@example.org,b@example.net", List),
        ("a@example.org\r\nRCPT TO:<eve@example.net>", Named),
        ("a@example.org\0", Forbidden('\0')),
        ("a@[192.0.2.256]", Domain),
        ("a@[192.0.2.1", Domain),
        ("a@[IPv6:192.0.2.1]", Domain),
        ("a@[2001:db8::1]", Domain),
        ("a@[tag:content]", Domain),
        ("a@example.org> NOTIFY=NEVER", Forbidden('>')),
        ("a@b\u{202e}.example", Forbidden('\u{202e}')),
        ("a@b\u{85}.example", Forbidden('\u{85}')),
        ("a b@example.org", NeedsQuotes(' ')),
        (" a@example.org", Forbidden(' ')),
        ("a(comment)@example.org", NeedsQuotes('(')),
        ("Zoe <zoe@example.org>", Named),
        ("group:a@example.org;", List),
        ("@a,@b:c@d", LocalPart),
        ("a\\b@example.org", NeedsQuotes('\\')),
        ("a>b@example.org", NeedsQuotes('>')),
        ("a\rb@example.org", Forbidden('\r')),
        ("a\nb@example.org", Forbidden('\n')),
        ("a\0b@example.org", Forbidden('\0')),
        ("a\u{7f}@example.org", Forbidden('\u{7f}')),
        ("a\u{85}@example.org", Forbidden('\u{85}')),
        ("a\u{2028}@example.org", Forbidden('\u{2028}')),
        ("a\u{202e}@example.org", Forbidden('\u{202e}')),
        ("\"a\rb\"@example.org", Forbidden('\r')),
        ("\"a\\\nb\"@example.org", Forbidden('\n')),
        ("\"a\0\"@example.org", Forbidden('\0')),
        ("\"a\tb\"@example.org", Forbidden('\t')),
        ("\"a@example.org", Unquoted),
        ("\"a\\", Unquoted),
        ("\"a\\\"@example.org", Unquoted),
        ("\"a\"b@example.org", Unquoted),
        ("\"a\" @example.org", Unquoted),
    ] {
        assert_eq!(refused(text), expected, "{text:?}");
    }
}

// A4: the character that is not allowed is named, wherever it is.
#[test]
fn the_character_is_named() {
    for (text, c) in [
        ("bob@x.example\n", '\n'),
        ("bob@x.example\r\n", '\r'),
        ("bob@x.example\t", '\t'),
        ("bob@x.example)", ')'),
        ("bob@[192.0.2.1]\n", '\n'),
        ("bob@\u{200e}x.example\u{2028}", '\u{2028}'),
    ] {
        assert_eq!(refused(text), Forbidden(c), "{text:?}");
    }
    let sentence = refused("bob@x.example\n").to_string();
    assert_eq!(
        sentence,
        r"the character '\n' does not belong in an address"
    );
}

// A2: names of hosts in internal networks.
#[test]
fn a_domain_may_have_underscores() {
    for text in ["user@internal_exchange", "user@_x.mail_.example", "a@_"] {
        assert_eq!(shown(text), text);
    }
}

// A5: the sentence says what to do, and that works.
#[test]
fn dots_and_blanks_are_quoted_by_new_and_by_hand() {
    assert_eq!(refused("try..this@docomo.example"), Dot);
    let quoted = Address::new("try..this", "docomo.example").unwrap();
    assert_eq!(quoted.to_string(), r#""try..this"@docomo.example"#);
    assert_eq!(shown(r#""try..this"@docomo.example"#), quoted.to_string());
    assert_eq!(refused("john doe@example.org"), NeedsQuotes(' '));
    assert!(Address::new("john doe", "example.org").is_ok());
}

// A9: case matters in local parts, but not in domains (RFC 5321, 2.4).
#[test]
fn domains_are_compared_without_case() {
    let hash = |address: &Address| {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        hasher.finish()
    };
    for (one, other) in [
        ("A@X.example", "A@x.example"),
        ("a@B\u{dc}CHER.example", "a@b\u{fc}cher.example"),
        ("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"),
        // The kelvin sign, whose lower case is the letter k.
        ("a@\u{212a}.example", "a@k.example"),
        ("\u{e9}@X.example", "\u{e9}@x.example"),
    ] {
        let [one, other]: [Address; 2] = [one, other].map(|text| text.parse().unwrap());
        assert_eq!(one, other);
        assert_eq!(hash(&one), hash(&other));
        assert_eq!(one.cmp(&other), Ordering::Equal);
    }
    for (one, other) in [
        ("A@x.example", "a@x.example"),
        ("a@x.example", "a@y.example"),
    ] {
        let [one, other]: [Address; 2] = [one, other].map(|text| text.parse().unwrap());
        assert_ne!(one, other);
        assert_ne!(one.cmp(&other), Ordering::Equal);
    }
    assert_eq!(shown("A@X.example"), "A@X.example", "but are kept");
}

// A1, 5321-51, I7: 255 bytes for the domain; for the whole, as much as a command line holds.
#[test]
fn lengths() {
    let local = "l".repeat(64);
    let label = "d".repeat(63);
    let reply_to = format!("reply+{}@reply.example.com", "0f".repeat(40));
    assert_eq!(shown(&reply_to), reply_to);
    assert!(Address::new(&"l".repeat(496), "x").is_ok(), "498 octets");
    for too_long in ["l".repeat(497), "\"".repeat(248), "\u{f6}".repeat(249)] {
        assert_eq!(
            Address::new(&too_long, "x").unwrap_err(),
            AddressError::AddressTooLong
        );
    }
    let longest = format!("{label}.{label}.{label}.{label}");
    assert_eq!(longest.len(), 255);
    assert_eq!(
        Address::new("a", &format!("{longest}.d")).unwrap_err(),
        AddressError::DomainTooLong
    );
    assert_eq!(
        Address::new("a", &format!("{label}d.example")).unwrap_err(),
        Domain
    );
    let three = format!("{label}.{label}.{label}");
    assert!(Address::new(&local, &three).is_ok());
    // Hostile lengths are refused by the first check.
    assert!("a".repeat(1 << 20).parse::<Address>().is_err());
    assert!(
        format!("\"{}", "\\".repeat(1 << 20))
            .parse::<Address>()
            .is_err()
    );
}

// 6531
#[test]
fn letters_outside_ascii_are_known() {
    assert!(Address::new("zoe", "example.org").unwrap().is_ascii());
    assert!(!Address::new("z\u{f6}", "example.org").unwrap().is_ascii());
    assert!(
        !Address::new("zoe", "b\u{fc}cher.example")
            .unwrap()
            .is_ascii()
    );
}

// A6
#[test]
fn a_domain_in_ascii() {
    let ascii = |text: &str| {
        let address: Address = text.parse().unwrap();
        address.to_ascii().map(|ascii| ascii.to_string())
    };
    let idna = |text: &str| cfg!(feature = "idna").then(|| text.to_owned());
    for (text, expected) in [
        ("info@example.org", Some("info@example.org".to_owned())),
        ("info@ex\u{e4}mple.de", idna("info@xn--exmple-cua.de")),
        ("info@EX\u{c4}MPLE.de", idna("info@xn--exmple-cua.de")),
        ("a@stra\u{df}e.example", idna("a@xn--strae-oqa.example")),
        ("\"a b\"@\u{5b57}.example", idna("\"a b\"@xn--p8s.example")),
        (
            "a@in_house.\u{e4}.example",
            idna("a@in_house.xn--4ca.example"),
        ),
        ("z\u{f6}@ex\u{e4}mple.de", None),
        ("z\u{f6}@example.de", None),
        ("a@\u{ad}.example", None),
    ] {
        assert_eq!(ascii(text), expected, "{text}");
    }
}

#[test]
fn conversions() {
    let address: Address = "zoe@example.org".parse().unwrap();
    assert_eq!(Address::try_from("zoe@example.org"), Ok(address.clone()));
    assert_eq!(
        Address::try_from("zoe@example.org".to_owned()),
        Ok(address.clone())
    );
    assert_eq!(
        Address::try_from(&"zoe@example.org".to_owned()),
        Ok(address.clone())
    );
    assert_eq!(Address::from(&address), address);
}

// The quick check and the full parser agree.
#[test]
fn a_short_look_is_no_other_look() {
    let parts = [
        "a", "B9", ".", "-", "_", "+", "@", "ex", "=", "'", "é", "[", " ",
    ];
    let mut seen = [0; 2];
    for n in 0..parts.len().pow(5) {
        let digits = (0..5).map(|digit| parts[n / parts.len().pow(digit) % parts.len()]);
        let text: String = digits.collect();
        if let Some(simple) = Address::simple(&text) {
            let parsed = parse(&text).unwrap();
            assert_eq!(simple, parsed, "{text}");
            assert_eq!(simple.to_string(), parsed.to_string());
            assert_eq!(simple.at, parsed.at);
            assert!(parsed.is_plain);
            seen[0] += 1;
        } else {
            seen[1] += usize::from(parse(&text).is_ok());
        }
    }
    assert!(seen[0] > 2_000, "{seen:?}");
    for (text, is_simple) in [
        (format!("a@{}.b", "l".repeat(63)), true),
        (format!("a@{}.b", "l".repeat(64)), false),
        (format!("{}@b.c", "l".repeat(494)), true),
        (format!("{}@b.c", "l".repeat(495)), false),
    ] {
        assert_eq!(Address::simple(&text).is_some(), is_simple);
        assert_eq!(parse(&text).is_ok(), is_simple);
    }
}
