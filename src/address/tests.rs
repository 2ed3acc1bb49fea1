use super::AddressError::{Domain, Empty, Forbidden, LocalPart, MissingAt, Unquoted};
use super::*;

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

// 5321-04, 5321-35: quotes where they are needed, and the local part octet for octet.
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
        (".a@example.org", LocalPart),
        ("a.@example.org", LocalPart),
        ("a..b@example.org", LocalPart),
        (r#"""@example.org"#, LocalPart),
        ("a@", Domain),
        ("a@.example", Domain),
        ("a@example.", Domain),
        ("a@ex..ample", Domain),
        ("a@-example.org", Domain),
        ("a@example-.org", Domain),
        ("a@exa_mple.org", Domain),
        ("a@b@c", Domain),
        ("a@b c", Domain),
        ("a@example.org ", Domain),
        ("a@example.org,b@example.net", Domain),
        ("a@example.org\r\nRCPT TO:<eve@example.net>", Domain),
        ("a@example.org\0", Domain),
        ("a@[192.0.2.256]", Domain),
        ("a@[192.0.2.1", Domain),
        ("a@[IPv6:192.0.2.1]", Domain),
        ("a@[2001:db8::1]", Domain),
        ("a@[tag:content]", Domain),
        ("a@example.org> NOTIFY=NEVER", Domain),
        ("a@b\u{202e}.example", Domain),
        ("a@b\u{85}.example", Domain),
        ("a b@example.org", Forbidden(' ')),
        (" a@example.org", Forbidden(' ')),
        ("a(comment)@example.org", Forbidden('(')),
        ("Zoe <zoe@example.org>", Forbidden(' ')),
        ("group:a@example.org;", Forbidden(':')),
        ("@a,@b:c@d", LocalPart),
        ("a\\b@example.org", Forbidden('\\')),
        ("a>b@example.org", Forbidden('>')),
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

// 5321-51, I7: 64, 255 and 254 octets, counted without quotes where the grammar adds them.
#[test]
fn lengths() {
    let local = "l".repeat(64);
    let label = "d".repeat(63);
    let domain = |last: usize| format!("{label}.{label}.{}", "d".repeat(last));

    assert!(Address::new(&local, &domain(61)).is_ok(), "254 octets");
    assert_eq!(
        Address::new(&local, &domain(62)).unwrap_err(),
        AddressError::AddressTooLong
    );
    assert_eq!(
        Address::new(&format!("{local}l"), "x").unwrap_err(),
        AddressError::LocalPartTooLong
    );
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
    assert_eq!(
        Address::new(&"\u{f6}".repeat(33), "x").unwrap_err(),
        AddressError::LocalPartTooLong
    );
    // Hostile lengths end at the first check.
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
