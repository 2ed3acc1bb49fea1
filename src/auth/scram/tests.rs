use super::*;

const NONCE_1: &str = "fyko+d2lbbFgONRv9qkxdawL";
const FIRST_1: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const NONCE_256: &str = "rOprNGfwEbeRWgbNEkqO";
const FIRST_256: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const LAST_256: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn scram(hash: Hash, nonce: &str) -> Scram {
    Scram::with_nonce(hash, "user", "pencil", nonce.to_owned()).unwrap()
}

fn text(octets: Option<Vec<u8>>) -> Option<String> {
    octets.map(|octets| String::from_utf8(octets).unwrap())
}

fn respond(scram: &mut Scram, challenge: &str) -> Option<String> {
    text(scram.respond(challenge.as_bytes()))
}

/// SCRAM-SHA-256 up to the client's proof.
fn proven() -> Scram {
    let mut scram = scram(Hash::Sha256, NONCE_256);
    scram.initial_response().unwrap();
    scram.respond(FIRST_256.as_bytes()).unwrap();
    scram
}

// 5802-11: the example of RFC 5802, 5.
#[test]
fn the_example_of_rfc_5802() {
    let mut scram = scram(Hash::Sha1, NONCE_1);
    assert_eq!(scram.name(), "SCRAM-SHA-1");
    assert_eq!(
        text(scram.initial_response()).unwrap(),
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    );
    assert_eq!(
        respond(&mut scram, FIRST_1).unwrap(),
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    assert!(!scram.is_satisfied());
    assert_eq!(
        respond(&mut scram, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap(),
        ""
    );
    assert!(scram.is_satisfied());
}

// 5802-11, dialog 33: the example of RFC 7677, 3.
#[test]
fn the_example_of_rfc_7677() {
    let mut scram = scram(Hash::Sha256, NONCE_256);
    assert_eq!(scram.name(), "SCRAM-SHA-256");
    assert_eq!(
        text(scram.initial_response()).unwrap(),
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    );
    assert_eq!(
        respond(&mut scram, FIRST_256).unwrap(),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    assert_eq!(respond(&mut scram, LAST_256).unwrap(), "");
    assert!(scram.is_satisfied());
    assert_eq!(respond(&mut scram, LAST_256), None, "there is nothing more");
}

// 5802-16: PBKDF2 by the vectors of RFC 6070.
#[test]
fn salting_by_the_vectors_of_rfc_6070() {
    let hex = |key: Key| -> String { key.0.iter().map(|octet| format!("{octet:02x}")).collect() };
    for (iterations, expected) in [
        (1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
        (2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
        (4096, "4b007901b765489abead49d926f721d065a429c1"),
    ] {
        let key = Hash::Sha1.salted(b"password", b"salt", iterations);
        assert_eq!(hex(key), expected);
    }
    // RFC 7914, 11, cut to the length of the hash.
    let key = Hash::Sha256.salted(b"passwd", b"salt", 1);
    assert_eq!(
        hex(key),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    );
}

// 5802-01
#[test]
fn a_user_name_is_escaped() {
    let mut scram =
        Scram::with_nonce(Hash::Sha256, "a=b,c\u{e9}", "pencil", "abc".to_owned()).unwrap();
    assert_eq!(
        text(scram.initial_response()).unwrap(),
        "n,,n=a=3Db=2Cc\u{e9},r=abc"
    );
}

// 5802-09, 5802-10: the GS2 header is repeated in base64, followed by the data of the binding.
#[test]
fn the_three_flags_of_channel_binding() {
    for (make, name, header, repeated) in [
        (
            (|scram| scram) as fn(Scram) -> Scram,
            "SCRAM-SHA-256",
            "n,,",
            "c=biws,",
        ),
        (Scram::could_bind, "SCRAM-SHA-256", "y,,", "c=eSws,"),
        (
            |scram| scram.bound_to(b"\x00\xff"),
            "SCRAM-SHA-256-PLUS",
            "p=tls-server-end-point,,",
            "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAP8=,",
        ),
    ] {
        let mut scram = make(scram(Hash::Sha256, NONCE_256));
        assert_eq!(scram.name(), name);
        let first = text(scram.initial_response()).unwrap();
        assert!(first.starts_with(header) && first[header.len()..].starts_with("n=user,r="));
        let last = respond(&mut scram, FIRST_256).unwrap();
        assert!(last.starts_with(repeated), "{last}");
    }
    let bound = scram(Hash::Sha1, NONCE_1).bound_to(&[1]);
    assert_eq!(bound.name(), "SCRAM-SHA-1-PLUS");
    assert!(bound.needs_tls() && !scram(Hash::Sha1, NONCE_1).needs_tls());
}

// 5802-02
#[test]
fn nonces_are_long_fresh_and_printable() {
    let nonce = || Scram::sha256("user", "pencil").unwrap().nonce;
    let (one, other) = (nonce(), nonce());
    assert_ne!(one, other);
    assert_eq!(one.len(), 24);
    assert!(
        one.bytes()
            .all(|octet| octet.is_ascii_graphic() && octet != b',')
    );
}

// 5802-02: who has recorded a dialog cannot play it back to the same object, or to a copy of it.
#[test]
fn each_run_has_its_own_nonce() {
    let mut scram = Scram::sha256("user", "pencil").unwrap();
    let mut copy = scram.clone();
    let firsts = [
        text(scram.initial_response()).unwrap(),
        text(copy.initial_response()).unwrap(),
        text(scram.initial_response()).unwrap(),
    ];
    for (at, first) in firsts.iter().enumerate() {
        assert!(!firsts[at + 1..].contains(first), "{first}");
    }
    let recorded = firsts[0].rsplit_once("r=").unwrap().1;
    let message = format!("r={recorded}server,s=QSXC,i=4096");
    assert_eq!(respond(&mut scram, &message), None);
    assert!(!scram.is_satisfied());
}

// Without a nonce, nothing is sent that could be played back.
#[test]
fn without_random_numbers_nobody_logs_in() {
    let mut scram = Scram::sha256("user", "pencil").unwrap();
    assert_eq!(scram.begin(None), None);
    assert_eq!(respond(&mut scram, ""), None);
    assert_eq!(scram.reason(), AuthReason::Cancelled);
    assert_eq!(
        scram.failure(),
        Some("the operating system has no random numbers for the login")
    );
    assert!(!scram.is_satisfied());
}

// The failure of one run is not told of the next.
#[test]
fn each_run_has_its_own_failure() {
    let mut scram = proven();
    assert_eq!(respond(&mut scram, "v=AAAA"), None);
    assert_eq!(scram.reason(), AuthReason::ServerUnproven);
    scram.initial_response().unwrap();
    assert_eq!(scram.reason(), AuthReason::Cancelled);
    assert_eq!(respond(&mut scram, ""), None);
    assert!(scram.failure().is_some());
    scram.initial_response().unwrap();
    assert_eq!(scram.failure(), None);
}

// 5802-03, 5802-04, 5802-05, U3, U4, dialog 36: no hashing, no proof, and nothing more is sent.
#[test]
fn a_first_message_that_is_wrong_ends_it() {
    let nonce = "the server's nonce does not continue ours";
    let rounds = "the server wants fewer than 4096 or more than 600000 rounds of hashing";
    let no_rounds = "the server's message has no number of rounds";
    let salt = "the server's message has no salt";
    for (message, expected) in [
        ("r=abc,s=QSXC,i=4096", nonce),
        ("r=abX1,s=QSXC,i=4096", nonce),
        ("r=1abc,s=QSXC,i=4096", nonce),
        ("r=abc 1,s=QSXC,i=4096", nonce),
        ("r=abc\u{e9},s=QSXC,i=4096", nonce),
        ("r=abc1,s=QSXC,i=4095", rounds),
        ("r=abc1,s=QSXC,i=600001", rounds),
        ("r=abc1,s=QSXC,i=2147483647", rounds),
        ("r=abc1,s=QSXC,i=99999999999999999999", rounds),
        ("r=abc1,s=QSXC,i=0", no_rounds),
        ("r=abc1,s=QSXC,i=-4096", no_rounds),
        ("r=abc1,s=QSXC,i=+4096", no_rounds),
        ("r=abc1,s=QSXC,i=04096", no_rounds),
        ("r=abc1,s=QSXC,i=", no_rounds),
        ("r=abc1,s=QSXC", no_rounds),
        ("r=abc1,s=,i=4096", salt),
        ("r=abc1,s=!,i=4096", salt),
        ("r=abc1,i=4096,s=QSXC", salt),
        ("s=QSXC,r=abc1,i=4096", "the server's message has no nonce"),
        ("", "the server's message has no nonce"),
        (
            "m=x,r=abc1,s=QSXC,i=4096",
            "the server wants an extension that this library does not know",
        ),
    ] {
        let mut scram = scram(Hash::Sha256, "abc");
        assert_eq!(respond(&mut scram, message), None, "{message}");
        assert_eq!(scram.failure(), Some(expected), "{message}");
        assert_eq!(scram.reason(), AuthReason::Cancelled);
        assert_eq!(respond(&mut scram, "r=abc1,s=QSXC,i=4096"), None);
        assert!(!scram.is_satisfied());
    }
}

// 5802-05: fields after the first three are for future extensions, and are ignored.
#[test]
fn later_extensions_are_passed_over() {
    let mut scram = scram(Hash::Sha256, "abc");
    assert!(respond(&mut scram, "r=abc1,s=QSXC,i=4096,x=y,z").is_some());
}

// 5802-06, U3, dialog 35
#[test]
fn a_wrong_signature_is_no_proof() {
    for message in [
        "v=",
        "v=!",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95A==",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        "x=y,v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        "",
        FIRST_256,
    ] {
        let mut scram = proven();
        assert_eq!(respond(&mut scram, message), None, "{message}");
        assert_eq!(scram.reason(), AuthReason::ServerUnproven);
        assert!(!scram.is_satisfied());
        assert_eq!(respond(&mut scram, LAST_256), None, "one chance");
        assert!(!scram.is_satisfied());
    }
}

// 5802-07: the proof in the text of the 235 is checked in the same way.
#[test]
fn the_proof_may_come_with_the_success() {
    let mut scram = proven();
    scram.finish(LAST_256.as_bytes());
    assert!(scram.is_satisfied());
    let mut scram = proven();
    scram.finish(b"v=AAAA");
    assert!(!scram.is_satisfied());
    let mut early = self::scram(Hash::Sha256, NONCE_256);
    early.finish(LAST_256.as_bytes());
    assert!(!early.is_satisfied());
}

// 5802-08: the server may give a reason, before its 5yz.
#[test]
fn an_error_of_the_server_is_kept() {
    let mut scram = proven();
    assert_eq!(respond(&mut scram, "e=invalid-proof\u{7},x=y").unwrap(), "");
    assert_eq!(scram.failure(), Some("invalid-proof"));
    assert!(!scram.is_satisfied());
    assert_eq!(respond(&mut scram, LAST_256), None);
}

// Z1
#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", proven());
    assert!(!shown.contains("pencil") && shown.contains("server_key: ***"));
}
