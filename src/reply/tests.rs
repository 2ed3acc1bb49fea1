use super::*;

fn reply(raw: &[u8]) -> Reply {
    let code = Code::parse([raw[0], raw[1], raw[2]]).unwrap();
    Reply::from_checked(code, raw.into())
}

// 5321-44, R4
#[test]
fn codes() {
    for digits in [b"200", b"299", b"354", b"421", b"599"] {
        let code = Code::parse(*digits).unwrap();
        assert_eq!(code.to_string().as_bytes(), digits);
        let class = digits[0];
        assert_eq!(code.is_positive(), class == b'2');
        assert_eq!(code.is_intermediate(), class == b'3');
        assert_eq!(code.is_transient(), class == b'4');
        assert_eq!(code.is_permanent(), class == b'5');
    }
    for digits in [b"199", b"600", b"2 0", b"+20", b"25x", b"\0\0\0"] {
        assert_eq!(Code::parse(*digits), None);
    }
    assert!(Code::SERVICE_CLOSING == 421 && Code::SERVICE_CLOSING != 420);
}

#[test]
fn text_and_lines() {
    let reply = reply(b"250-mx\r\n250-\r\n250 a b\r\n");
    assert_eq!(reply.lines().collect::<Vec<_>>(), ["mx", "", "a b"]);
    assert_eq!(reply.text(), "mx\n\na b");
    assert_eq!(reply.to_string(), "250 mx / a b");
    assert_eq!(format!("{reply:?}"), r#"Reply("250 mx / a b")"#);
    assert!(reply.is_positive() && !reply.is_transient() && !reply.is_permanent());
}

// Field F17: every line repeats the code, as real servers do.
#[test]
fn the_enhanced_code_is_shown_once() {
    for (raw, shown) in [
        (
            &b"550-5.7.1 no\r\n550-5.7.1 \r\n550-5.7.1\r\n550 5.7.1 For help ask\r\n"[..],
            "550 5.7.1 no / For help ask",
        ),
        (
            b"550-5.7.1 no\r\n550 5.7.12 other\r\n",
            "550 5.7.1 no / 5.7.12 other",
        ),
        (b"550-first\r\n550 5.7.1 no\r\n", "550 first / no"),
    ] {
        assert_eq!(reply(raw).to_string(), shown);
    }
}

// Field E3
#[test]
fn a_long_reply_is_shown_in_part() {
    let line = [b"550-".as_slice(), &[b'x'; 400], b"\r\n"].concat();
    let raw = [line.repeat(100), b"550 end\r\n".to_vec()].concat();
    let shown = reply(&raw).to_string();
    assert_eq!(shown.chars().count(), "550 ".len() + MAX_SHOWN + 1);
    assert!(shown.starts_with("550 xxx") && shown.ends_with("x\u{2026}"));
    assert_eq!(reply(&raw).text().len(), 100 * 401 + 3);
}

// 2034-03, 2034-06
#[test]
fn enhanced_codes() {
    let code = reply(b"550 5.7.123 no\r\n").enhanced().unwrap();
    assert_eq!((code.class(), code.subject(), code.detail()), (5, 7, 123));
    assert_eq!(code.to_string(), "5.7.123");
    for raw in [
        &b"550 4.7.1 x\r\n"[..],
        b"550 5..1 x\r\n",
        b"550 5.+1.1 x\r\n",
        b"550\r\n",
    ] {
        assert_eq!(reply(raw).enhanced(), None, "{raw:?}");
    }
}

// R12
#[test]
fn what_steers_a_terminal_is_escaped() {
    let text = "a\u{1b}[0m\u{7}\u{7f}\u{9b}\u{202e}\u{2066}\u{2028}\r\n\t\0\u{e9}\u{5b57}";
    assert_eq!(
        Escaped(text).to_string(),
        "a\\u{1b}[0m\\u{7}\\u{7f}\\u{9b}\\u{202e}\\u{2066}\\u{2028}\\r\\n\\t\\u{0}\u{e9}\u{5b57}"
    );
}

// Z3: in whatever order the secrets are given, no part of one stays visible.
#[test]
fn secrets_within_each_other_are_masked_whole() {
    for secrets in [["QUJD", "my-QUJD-key"], ["my-QUJD-key", "QUJD"]] {
        assert_eq!(
            masked("no my-QUJD-key, no QUJD", &secrets),
            "no ***, no ***"
        );
    }
    assert_eq!(masked("abcd", &["abc", "bcd"]), "***");
    assert_eq!(masked("é abc é", &["abc", "abc"]), "é *** é");
}

// D1
#[test]
fn masking_what_was_cut() {
    let cut = |text| masked_with_cut(text, &["hunter2", "unterwegs"]);
    assert_eq!(cut("535 no hunter2, no hunt\r\n"), "535 no ***, no ***");
    assert_eq!(cut("535 no hu"), "535 no hu");
    assert_eq!(cut("535 no hunter2"), "535 no ***");
    assert_eq!(cut("535 no unterweg"), "535 no ***");
    assert_eq!(cut(""), "");
}

// D1: also in a reply of many lines, in time.
#[test]
fn whole_texts_can_be_masked() {
    let raw = b"334-abc def\r\n334-\r\n334 g\xff\r\n";
    let shown = "334 *** / ***";
    assert_eq!(reply(raw).masked_whole().to_string(), shown);
    assert_eq!(
        reply(raw).masked_whole().raw(),
        b"334-***\r\n334-\r\n334 ***\r\n"
    );
    let hidden = reply(raw).hiding_whole();
    assert_eq!(
        (hidden.to_string().as_str(), hidden.raw()),
        (shown, &raw[..])
    );

    let raw: String = (0..2000)
        .map(|line| format!("334-{line:0>50}\r\n"))
        .collect();
    let hidden = reply(raw.as_bytes()).hiding_whole();
    assert_eq!(hidden.shown(), b"334-***\r\n".repeat(2000));
}

// E7: what is shown is masked, and the bytes stay unchanged.
#[test]
fn hiding() {
    let raw = b"550-5.7.1 no 550 secret\r\n550 secret\xff\r\n";
    let plain = reply(raw);
    let hidden = plain.clone().hiding(&["secret", "550"]);
    assert_eq!(hidden.raw(), raw);
    assert_eq!(hidden.text(), plain.text());
    assert_eq!(hidden.code(), 550);
    assert_eq!(hidden.enhanced(), plain.enhanced());
    assert_eq!(hidden.to_string(), "550 5.7.1 no *** *** / ***\u{fffd}");
    assert!(!format!("{hidden:?}").contains("secret"));
    assert_eq!(
        hidden.shown(),
        b"550-5.7.1 no *** ***\r\n550 ***\xef\xbf\xbd\r\n"
    );
    let other = plain.clone().hiding(&["password"]);
    assert_eq!((other.shown(), &other), (plain.raw(), &plain));
    assert_eq!(
        hidden.masked(&["secret"]).text(),
        plain.masked(&["secret"]).text()
    );
}

// Z3: the text of every line is masked, and never the code.
#[test]
fn masking() {
    let reply = reply(b"535-5.7.8 535 secret\r\n535 secret535\xff\r\n");
    let masked = reply.masked(&["secret", "535", ""]);
    let expected = "535-5.7.8 *** ***\r\n535 ******\u{fffd}\r\n";
    assert_eq!(masked.raw(), expected.as_bytes());
    assert_eq!(masked.code(), 535);
    assert_eq!(masked.enhanced(), reply.enhanced());
    assert_eq!(reply.masked(&[]).text(), reply.text());
}
