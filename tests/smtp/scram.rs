//! SCRAM with a server that computes its part, or makes the mistakes that a test asks for.
use crate::peer::{Conn, Leaf, Peer, Result, Script, TestCa};
use crate::support::session::{config, failure, implicit, said, soon};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use smtplib::auth::Scram;
use smtplib::error::AuthReason;
use smtplib::{Credentials, Error};

const SALT: &[u8] = b"salted";

/// The server's part of a dialog with SCRAM-SHA-256, for the password `pencil`.
#[derive(Clone, Copy)]
struct Server {
    offer: &'static str,
    /// The expected GS2 header, with `end-point` in place of the certificate's hash.
    header: &'static str,
    rounds: &'static str,
    nonce: fn(&str) -> String,
    /// The lines after the client's proof, in order. `<v>` is the server's proof.
    last: &'static [&'static str],
}

const SERVER: Server = Server {
    offer: "AUTH PLAIN SCRAM-SHA-256",
    header: "y,,",
    rounds: "4096",
    nonce: |client| format!("{client}server"),
    last: &["334 <v>", "235 2.7.0 ok"],
};

impl Server {
    fn script(self) -> Script {
        Script::handler(move |conn| self.run(conn))
    }

    fn run(self, conn: &mut Conn) -> Result<()> {
        conn.reply("220 mx.example.org")?;
        conn.expect("EHLO client.example")?;
        conn.write(format!("250-mx.example.org\r\n250 {}\r\n", self.offer).as_bytes())?;
        let mechanism = match self.header {
            "p=tls-server-end-point,," => "SCRAM-SHA-256-PLUS",
            _ => "SCRAM-SHA-256",
        };
        let line = conn.read_line()?;
        let first = line.strip_prefix(&format!("AUTH {mechanism} ")).unwrap();
        let first = decode(first);
        let bare = first.strip_prefix(self.header).unwrap();
        let client_nonce = bare.strip_prefix("n=user,r=").unwrap();
        let nonce = (self.nonce)(client_nonce);
        let salt = STANDARD.encode(SALT);
        let server_first = format!("r={nonce},s={salt},i={}", self.rounds);
        conn.reply(&format!("334 {}", STANDARD.encode(&server_first)))?;
        let line = conn.read_line()?;
        if line == "*" {
            conn.reply("501 5.7.0 cancelled")?;
            conn.expect("QUIT")?;
            return conn.reply("221 bye");
        }
        let (without_proof, proof) = self.client_final(&decode(&line), &nonce);
        let message = format!("{bare},{server_first},{without_proof}");
        let signature = check(&message, &proof);
        self.say_last(conn, &format!("v={}", STANDARD.encode(signature)))
    }

    /// Checks `c=…,r=…,p=…`.
    fn client_final(self, text: &str, nonce: &str) -> (String, Vec<u8>) {
        let (without_proof, proof) = text.rsplit_once(",p=").unwrap();
        let mut header = self.header.as_bytes().to_vec();
        if self.header.starts_with("p=") {
            header.extend(Sha256::digest(certificate()));
        }
        let expected = format!("c={},r={nonce}", STANDARD.encode(header));
        assert_eq!(without_proof, expected);
        (without_proof.to_owned(), STANDARD.decode(proof).unwrap())
    }

    fn say_last(self, conn: &mut Conn, proof: &str) -> Result<()> {
        for (at, reply) in self.last.iter().enumerate() {
            if at > 0 {
                let line = conn.read_line()?;
                assert!(matches!(line.as_str(), "" | "*"), "{line}");
            }
            conn.reply(&reply.replace("<v>", &STANDARD.encode(proof)))?;
        }
        Ok(())
    }
}

fn decode(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

/// The server's certificate in DER.
fn certificate() -> Vec<u8> {
    let pem = &TestCa::get().leaf(Leaf::Good).certificate;
    let first = pem.split("-----END").next().unwrap();
    let base64 = first
        .split("-----\n")
        .nth(1)
        .or_else(|| first.split("-----\r\n").nth(1));
    let base64: String = base64.unwrap().split_ascii_whitespace().collect();
    STANDARD.decode(base64).unwrap()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// Checks the client's proof, and returns the server's.
fn check(message: &str, proof: &[u8]) -> Vec<u8> {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"pencil", SALT, 4096, &mut salted);
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let signature = hmac(&stored, message.as_bytes());
    let key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
    assert_eq!(Sha256::digest(&key), stored, "the client's proof is wrong");
    hmac(&hmac(&salted, b"Server Key"), message.as_bytes())
}

fn user() -> Credentials {
    Credentials::password("user", "pencil")
}

fn refused(server: Server) -> Error {
    let peer = server.script().listen_tls();
    let error = failure(&implicit(&peer).credentials(user()));
    peer.finish();
    error
}

fn accepted(server: Server) {
    let peer = server.script().listen_tls();
    drop(implicit(&peer).credentials(user()).connect().unwrap());
    peer.finish();
}

fn is_unproven(error: &Error) -> bool {
    matches!(error, Error::AuthFailed(failure) if failure.reason() == AuthReason::ServerUnproven)
}

// 5802-07, 5802-09, dialog 33: under TLS, `y` says that this side could bind.
#[test]
fn scram_is_used_before_plain() {
    accepted(SERVER);
}

// 5802-07: the proof may come with the success, with an enhanced code before it or without.
#[test]
fn the_proof_with_the_success() {
    for last in [
        "235 <v>",
        "235 2.7.0 <v>",
        "235-2.7.0 welcome\r\n235 2.7.0 <v>",
    ] {
        let last: &'static [&'static str] = Box::leak(Box::new([last]));
        accepted(Server { last, ..SERVER });
    }
}

// 5802-10, 5802-13: the hash of the certificate ties the login to the TLS session.
#[test]
fn the_login_is_tied_to_the_session_where_the_server_can() {
    accepted(Server {
        offer: "AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN",
        header: "p=tls-server-end-point,,",
        ..SERVER
    });
}

// 5802-09: a client that may not use the offered -PLUS says that it cannot bind.
#[test]
fn without_the_plus_by_configuration() {
    let server = Server {
        offer: "AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
        header: "n,,",
        ..SERVER
    };
    let peer = server.script().listen_tls();
    let config = implicit(&peer).mechanisms(["SCRAM-SHA-256"]);
    drop(config.credentials(user()).connect().unwrap());
    peer.finish();
}

// B12: the password is not shown, so it works without TLS if the caller asks for no TLS.
#[test]
fn scram_goes_without_tls() {
    let server = Server {
        header: "n,,",
        ..SERVER
    };
    let peer = server.script().listen();
    drop(config(&peer).credentials(user()).connect().unwrap());
    assert!(!String::from_utf8_lossy(&peer.finish().clear()).contains("pencil"));
}

// T5: but not if TLS was wanted and the offer was removed.
#[test]
fn scram_does_not_go_where_tls_was_wanted() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 AUTH SCRAM-SHA-256
        C: QUIT
        S: 221 bye";
    let peer = Script::new(script).listen();
    let config = config(&peer).security(smtplib::Security::Opportunistic);
    let error = failure(&config.credentials(user()));
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
    peer.finish();
}

// 5802-06, U3, dialog 34: a server that sends only 235 does not know the password.
#[test]
fn a_success_without_proof_is_none() {
    for last in ["235 2.7.0 welcome", "235 AAAA", "235"] {
        let last: &'static [&'static str] = Box::leak(Box::new([last]));
        let error = refused(Server { last, ..SERVER });
        assert!(is_unproven(&error), "{error:?}");
        assert!(error.is_closed());
        assert_eq!(
            said(&error),
            "logging in at the server with SCRAM-SHA-256 failed: the server did not prove that it knows the password"
        );
    }
}

// 5802-06, U3, dialog 35
#[test]
fn a_wrong_proof_is_none_whatever_comes_then() {
    let refusal = refused(Server {
        last: &["334 dj1BQUFB", "501 5.7.0 cancelled"],
        ..SERVER
    });
    assert!(is_unproven(&refusal) && refusal.is_closed(), "{refusal:?}");
    let welcome = refused(Server {
        last: &["334 dj1BQUFB", "235 2.7.0 welcome"],
        ..SERVER
    });
    assert_eq!(
        said(&welcome),
        "the server broke the protocol at AUTH: 235 is not a reply to this command"
    );
}

// 5802-08: the error has the server's reason, and 535 is the refusal.
#[test]
fn the_reason_of_a_refusal() {
    // e=invalid-proof
    let error = refused(Server {
        last: &["334 ZT1pbnZhbGlkLXByb29m", "535 5.7.8 no"],
        ..SERVER
    });
    assert_eq!(
        said(&error),
        "the server refused the login with SCRAM-SHA-256: 535 5.7.8 no (invalid-proof); the server also offers PLAIN: choose with Config::mechanisms"
    );
    assert_eq!(error.code().unwrap(), 535);
}

// 5802-03, 5802-04, U4, dialog 36: no other mechanism, which would show the password to such a
// server.
#[test]
fn a_first_message_that_is_wrong_ends_it_at_once() {
    for rounds in ["1", "4095", "600001", "1000000000"] {
        let error = refused(Server { rounds, ..SERVER });
        assert_eq!(
            said(&error),
            "logging in at the server with SCRAM-SHA-256 failed: the mechanism cancelled the login (the server wants fewer than 4096 or more than 600000 rounds of hashing)"
        );
    }
    let error = refused(Server {
        nonce: |_| "server".to_owned(),
        ..SERVER
    });
    assert_eq!(
        said(&error),
        "logging in at the server with SCRAM-SHA-256 failed: the mechanism cancelled the login (the server's nonce does not continue ours)"
    );
}

// C1, dialog 27: a server that offers a mechanism that it does not have.
#[test]
fn after_an_unknown_mechanism_the_next() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 AUTH SCRAM-SHA-256 PLAIN
        C~: AUTH SCRAM-SHA-256 *
        S: 504 5.5.4 unrecognized
        C: AUTH PLAIN AHVzZXIAcGVuY2ls
        S: 235 ok";
    let peer = Script::new(script).listen_tls();
    drop(implicit(&peer).credentials(user()).connect().unwrap());
    peer.finish();
}

// C2, U3: `already` does not spare the server its proof.
#[test]
fn an_impostor_does_not_get_around_its_proof() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 AUTH SCRAM-SHA-256
        C~: AUTH SCRAM-SHA-256 *
        S: 503 5.5.1 already authenticated
        C: QUIT
        S: 221 bye";
    let peer = Script::new(script).listen_tls();
    let error = failure(&implicit(&peer).credentials(user()));
    assert_eq!(error.code().unwrap(), 503);
    peer.finish();
}

// By hand, offered or not, with what the caller knows about the session.
#[test]
fn scram_by_hand() {
    let server = Server {
        offer: "HELP",
        header: "p=tls-server-end-point,,",
        ..SERVER
    };
    let peer = server.script().listen_tls();
    let mut smtp = implicit(&peer).connect().unwrap();
    let end_point = Sha256::digest(smtp.peer_certificate().unwrap());
    let mut scram = Scram::sha256("user", "pencil")
        .unwrap()
        .bound_to(&end_point);
    soon(|| smtp.authenticate(&mut scram)).unwrap();
    drop(smtp);
    peer.finish();
}

#[test]
fn scram_sha_1_where_there_is_nothing_better() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 AUTH SCRAM-SHA-1 PLAIN
        C~: AUTH SCRAM-SHA-1 eSwsbj11c2VyLHI9*
        S: 535 no
        C: QUIT
        S: 221 bye";
    let peer: Peer = Script::new(script).listen_tls();
    assert!(!failure(&implicit(&peer).credentials(user())).is_closed());
    peer.finish();
}
