//! Any configuration from the setters is refused by `check`, or written as a URL that gives the
//! same configuration.
use smtplib::config::{Protocol, Timeouts};
use smtplib::{Config, Credentials, Security};
use std::time::Duration;

/// How many configurations are made.
const ROUNDS: u64 = 4_000;

/// Texts that could end, begin or hide something in a URL.
const TEXTS: &[&str] = &[
    "mx.example.org",
    "127.0.0.1",
    "::1",
    "fe80::1%eth0",
    "me",
    "tim@example.org",
    "a,b",
    "a&b=c",
    "a?b#c",
    "a/b/../c",
    "./x",
    "x y",
    "100%",
    "%2C",
    "+",
    ":",
    "@",
    "[::1]",
    "\u{e9}\u{1f980}",
    "\u{7}",
    "\r\n",
    "=",
    "",
];
const NAMES: &[&str] = &["plain", "LOGIN", "xoauth2", "OAUTHBEARER", "external", "x"];
const KEYWORDS: &[&str] = &["dsn", "X-Y", "8BITMIME", "a b", ""];
const TIMES: &[Duration] = &[
    Duration::from_secs(30),
    Duration::from_millis(1_500),
    Duration::from_nanos(5),
    Duration::from_secs(99_999_999),
    Duration::ZERO,
];

/// Random numbers, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % end
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn some(&mut self, of: &'static [&'static str]) -> Vec<&'static str> {
        (0..1 + self.below(3)).map(|_| self.one(of)).collect()
    }
}

fn server(random: &mut Random) -> Config {
    let text = random.one(TEXTS);
    match random.below(5) {
        0 => Config::lmtp(text, 24),
        1 => Config::lmtp_unix(text),
        _ => Config::new(text),
    }
}

fn credentials(random: &mut Random) -> Credentials {
    let user = random.one(TEXTS);
    match random.below(4) {
        0 => Credentials::bearer(user, "secret"),
        1 => Credentials::certificate(user),
        2 => Credentials::anonymous(user),
        _ => Credentials::password(user, "secret"),
    }
}

fn changed(config: Config, random: &mut Random) -> Config {
    let security = [
        Security::None,
        Security::StartTls,
        Security::Opportunistic,
        Security::ImplicitTls,
    ];
    match random.below(14) {
        0 => config.port(random.one(&[1, 25, 65_535])),
        1 => config.security(random.one(&security)),
        2 => config.protocol(random.one(&[Protocol::Smtp, Protocol::Lmtp])),
        3 | 4 => config.credentials(credentials(random)),
        5 => config.mechanisms(random.some(NAMES)),
        6 => config.hello_name(random.one(TEXTS)),
        7 => config.ignore(random.some(KEYWORDS)),
        8 => config.timeout(random.one(TIMES)),
        9 => config.timeouts(Timeouts::default().body(random.one(TIMES))),
        10 => config.deadline(random.one(TIMES)),
        11 => config
            .root_certificate_file(random.one(TEXTS))
            .only_given_roots(true),
        12 => config.client_identity_files(random.one(TEXTS), random.one(TEXTS)),
        _ => config.tls_server_name(random.one(TEXTS)),
    }
}

/// The settings that a URL can have, as text.
fn shown(config: &Config, url: &str) -> String {
    let user = config.get_credentials().map(Credentials::user);
    let user = user.filter(|_| url.contains('@'));
    // A relative path is written with a dot before it.
    let path = config.get_unix_path();
    let path = path.map(|path| path.strip_prefix(".").unwrap_or(path));
    format!(
        "{:?} {:?} {path:?} {:?} {:?} {:?} {:?} {:?} {user:?}",
        config.get_host(),
        config.get_port(),
        config.get_security(),
        config.get_protocol(),
        config.get_hello_name(),
        config.get_tls_server_name(),
        config.get_ignored(),
    )
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let mut random = Random(7);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let mut config = server(&mut random);
        for _ in 0..random.below(5) {
            config = changed(config, &mut random);
        }
        let url = config.to_string();
        assert!(!url.contains("secret") && url.is_ascii(), "{url}");
        match url.parse::<Config>() {
            Ok(again) if shown(&again, &url) == shown(&config, &url) => {
                assert_eq!(again.to_string(), url);
                read += 1;
            }
            // A configuration that is not read as the same cannot be used either.
            result => {
                assert!(config.check().is_err(), "{url}: {result:?}");
                refused += 1;
            }
        }
    }
    assert!(read > 1_000 && refused > 100, "{read} and {refused}");
}
