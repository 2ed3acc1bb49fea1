use std::time::Duration;

use super::*;
use crate::auth::credentials::Credentials;

fn parse(url: &str) -> Config {
    url.parse().unwrap()
}

// 8314-01, 2033-06
#[test]
fn the_port_follows_the_security() {
    for (config, port) in [
        (Config::new("mx"), 587),
        (Config::new("mx").security(Security::ImplicitTls), 465),
        (Config::new("mx").security(Security::None), 25),
        (Config::new("mx").security(Security::Opportunistic), 25),
        (Config::new("mx").port(2525).security(Security::None), 2525),
        (Config::lmtp("mx", 24), 24),
        (Config::lmtp("mx", 2003), 2003),
        (parse("smtp://mx"), 587),
        (parse("smtps://mx"), 465),
        (parse("smtp://mx?tls=none"), 25),
        (parse("smtp://mx?tls=opportunistic"), 25),
        (parse("lmtp://mx"), 24),
        (parse("smtps://mx:2525"), 2525),
    ] {
        assert_eq!(config.host_and_port(), ("mx", port), "{config:?}");
    }
}

#[test]
fn the_default_is_starttls() {
    for config in [
        Config::new("mx"),
        Config::lmtp("mx", 24),
        parse("smtp://mx"),
        parse("lmtp://mx"),
    ] {
        assert_eq!(config.security, Security::StartTls);
    }
    assert_eq!(Config::lmtp_unix("/run/lmtp").security, Security::None);
    assert_eq!(parse("lmtp://mx").protocol, Protocol::Lmtp);
    assert_eq!(
        parse("lmtp+unix:///run/%25lmtp").server,
        Config::lmtp_unix("/run/%lmtp").server
    );
}

// 5321-56 to 5321-62: on by default, each by itself, and patient where giving up makes duplicates.
#[test]
fn the_default_budgets() {
    let seconds = Duration::from_secs;
    let expected = Timeouts::all(seconds(60))
        .connect(seconds(30))
        .handshake(seconds(30))
        .data(seconds(120))
        .body(seconds(180))
        .end_of_data(seconds(600));
    assert_eq!(Timeouts::default(), expected);
    assert_eq!(Timeouts::default().quit, seconds(5));
    assert_eq!(Timeouts::all(seconds(2)).quit, seconds(2));
    assert_eq!(Config::new("mx").deadline, None);
}

// Python's testTimeoutValue and the URL's names for the same.
#[test]
fn budgets_in_a_url() {
    let ms = Duration::from_millis;
    let names = "connect_timeout=1ms&handshake_timeout=2ms&greeting_timeout=3ms&command_timeout=4ms\
                 &data_timeout=5ms&body_timeout=6ms&end_of_data_timeout=7ms&quit_timeout=8ms";
    let expected = [1, 2, 3, 4, 5, 6, 7, 8].map(ms);
    assert_eq!(
        parse(&format!("smtp://mx?{names}")).timeouts.list(),
        expected
    );
    for url in [
        "smtp://mx?timeout=30",
        "smtp://mx?timeout=30s",
        "smtp://mx?timeout=30000ms",
    ] {
        assert_eq!(parse(url).timeouts, Timeouts::all(ms(30_000)));
    }
    assert_eq!(parse("smtp://mx?deadline=2").deadline, Some(ms(2000)));
}

// Python's testTimeoutZero, for each of them.
#[test]
fn no_budget_is_zero() {
    let (zero, all) = (Duration::ZERO, Timeouts::default);
    for timeouts in [
        Timeouts::all(zero),
        all().connect(zero),
        all().handshake(zero),
        all().greeting(zero),
        all().command(zero),
        all().data(zero),
        all().body(zero),
        all().end_of_data(zero),
        all().quit(zero),
    ] {
        let config = Config::new("mx").timeouts(timeouts);
        assert_eq!(config.check_values(), Err(ConfigError::ZeroTimeout));
    }
    assert_eq!(
        Config::new("mx").timeout(zero).check_values(),
        Err(ConfigError::ZeroTimeout)
    );
    assert_eq!(
        Config::new("mx").deadline(zero).check_values(),
        Err(ConfigError::ZeroTimeout)
    );
    assert_eq!(
        Config::lmtp_unix("/x").timeout(zero).check_values(),
        Err(ConfigError::ZeroTimeout)
    );
}

// Python's testNonnumericPort and testBasic2: a port has a method of its own.
#[test]
fn hosts() {
    for host in [
        "mx",
        "mx.example.org",
        "192.0.2.1",
        "::1",
        "fe80::1%eth0",
        "my_host",
        "mx.example.",
    ] {
        assert_eq!(Config::new(host).check_values(), Ok(()), "{host}");
    }
    for host in [
        "", " ", "mx:25", "[::1]", "::1:", "m x", "mx\r\n", "mx\0", "a@mx", "mx/", "mx\u{a0}",
    ] {
        assert_eq!(
            Config::new(host).check_values(),
            Err(ConfigError::Host),
            "{host}"
        );
    }
}

#[test]
fn a_unix_socket_has_no_tls_and_no_port() {
    let config = Config::lmtp_unix("/run/lmtp").port(24);
    assert_eq!(config.check_values(), Ok(()));
    assert_eq!(
        (config.endpoint().to_string(), config.tcp_server()),
        ("/run/lmtp".to_owned(), None)
    );
    for security in [
        Security::StartTls,
        Security::Opportunistic,
        Security::ImplicitTls,
    ] {
        let config = config.clone().security(security);
        assert_eq!(config.check_values(), Err(ConfigError::TlsOnUnixSocket));
    }
}

// A password that was not encoded does not become part of the host.
#[test]
fn credentials_in_a_url() {
    for (url, user, password) in [
        ("smtp://tim:tanstaaf@mx", "tim", "tanstaaf"),
        (
            "smtp://tim%40example.org:p%3A%2F%25@mx",
            "tim@example.org",
            "p:/%",
        ),
        ("smtp://tim:p@ss/w#rd@mx", "tim", "p@ss/w#rd"),
        ("smtp://tim:a:b@mx", "tim", "a:b"),
        ("smtp://tim:p+q@mx", "tim", "p+q"),
        ("smtp://t%C3%ADm:%F0%9F%94%91@mx", "t\u{ed}m", "\u{1f511}"),
        ("smtp://tim@mx", "tim", ""),
    ] {
        let config = parse(url);
        assert_eq!(config.host_and_port().0, "mx");
        assert_eq!(
            config.credentials,
            Some(Credentials::password(user, password)),
            "{url}"
        );
    }
    let bearer = parse("smtp://tim:token@mx?auth=xoauth2,OAUTHBEARER");
    assert_eq!(
        bearer.credentials,
        Some(Credentials::bearer("tim", "token"))
    );
    assert_eq!(bearer.mechanisms.unwrap(), ["XOAUTH2", "OAUTHBEARER"]);
    assert_eq!(parse("smtp://mx").credentials, None);
}

// R12: what steers a terminal is escaped in `Debug`, whatever the place is.
#[test]
fn a_path_is_escaped_where_it_is_shown() {
    for url in [
        "maildir:///a%01b",
        "sendmail:///a%01b",
        "lmtp+unix:///a%01b",
    ] {
        let shown = format!("{:?}", parse(url));
        assert!(shown.contains(r#""/a\u{1}b""#), "{shown}");
        assert!(!shown.contains(char::is_control));
    }
}
