//! Whatever the server says, SCRAM trusts only a server that knows the password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::auth::Mechanism;
use crate::auth::error::AuthReason;
use crate::auth::scram::{Hash, Scram};
use crate::fuzzing::cutter::Cutter;

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
/// Every password begins with this, so that a match is no coincidence.
const MARK: &str = "Tanstaaf7q";
/// The most rounds of hashing for which the fuzzer has time.
const MAX_ROUNDS: u64 = 5000;

/// The first byte chooses the hash, the channel binding, and whether the last message comes with
/// the success. The fields are a user name, the rest of the password, and the server's messages. In
/// these, `<r>` stands for the client's nonce and `<v>` for the right proof.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let choice = cutter.octet();
    let hash = if choice & 1 == 0 {
        Hash::Sha256
    } else {
        Hash::Sha1
    };
    let (user, password) = (cutter.text(), format!("{MARK}{}", cutter.text()));
    let scram = Scram::with_nonce(hash, user.as_str(), password.as_str(), NONCE.to_owned());
    let Ok(scram) = scram else { return };
    let (mut scram, header) = match choice >> 1 & 3 {
        0 => (scram, "n,,"),
        1 => (scram.could_bind(), "y,,"),
        _ => (scram.bound_to(b"\x00\xff"), "p=tls-server-end-point,,"),
    };
    let first = text(scram.initial_response());
    let bare = first
        .strip_prefix(header)
        .expect("the flag of channel binding");
    assert!(bare.starts_with("n=") && bare.ends_with(&format!(",r={NONCE}")));
    assert_eq!(bare.matches(',').count(), 1, "the user name is escaped");

    let server_first = cutter.text().replace("<r>", NONCE);
    if rounds(&server_first) > MAX_ROUNDS {
        return;
    }
    let Some(answer) = scram.respond(server_first.as_bytes()) else {
        return check_end(&mut scram, AuthReason::Cancelled);
    };
    let answer = text(Some(answer));
    assert!(!answer.contains(MARK) && !scram.is_satisfied());
    assert!((4096..=600_000).contains(&rounds(&server_first)));
    assert!(server_first.starts_with(&format!("r={NONCE}")));
    let (without_proof, _) = answer.rsplit_once(",p=").expect("a proof");
    let message = format!("{bare},{server_first},{without_proof}");
    let proof = expected_proof(hash, &password, &server_first, &message);
    check_last(
        scram,
        &cutter.text().replace("<v>", &proof),
        &proof,
        choice & 8 != 0,
    );
}

/// The login counts only if the server's last message is the right proof.
fn check_last(mut scram: Scram, last: &str, proof: &str, with_success: bool) {
    let is_right = last.split(',').next() == Some(&format!("v={proof}"));
    let answer = match with_success {
        true => {
            scram.finish(last.as_bytes());
            None
        }
        false => scram.respond(last.as_bytes()),
    };
    assert_eq!(scram.is_satisfied(), is_right, "{last:?}");
    if let Some(answer) = answer {
        assert!(answer.is_empty() && (is_right || last.starts_with("e=")));
    } else if !with_success {
        return check_end(&mut scram, AuthReason::ServerUnproven);
    }
    // Nothing more is sent, and a second proof changes nothing.
    let again = format!("v={proof}");
    assert_eq!(scram.respond(again.as_bytes()), None);
    assert_eq!(scram.is_satisfied(), is_right);
}

/// A cancelled login stays cancelled, with a reason that can be printed.
fn check_end(scram: &mut Scram, reason: AuthReason) {
    assert!(!scram.is_satisfied());
    assert_eq!(scram.reason(), reason);
    let why = scram.failure().unwrap_or_default();
    assert!(!why.contains(char::is_control) && !why.contains(MARK));
    assert_eq!(scram.respond(b"r=x,s=QSXC,i=4096"), None);
}

fn text(octets: Option<Vec<u8>>) -> String {
    String::from_utf8(octets.expect("an answer")).expect("UTF-8")
}

/// The number of rounds, by a second reading.
fn rounds(message: &str) -> u64 {
    let number = message
        .split(',')
        .nth(2)
        .and_then(|text| text.strip_prefix("i="));
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// The server's proof, in base64, by a simple reading of RFC 5802, 3.
fn expected_proof(hash: Hash, password: &str, server_first: &str, message: &str) -> String {
    let salt = server_first
        .split(',')
        .nth(1)
        .unwrap()
        .strip_prefix("s=")
        .unwrap();
    let salt = STANDARD.decode(salt).unwrap();
    let rounds = u32::try_from(rounds(server_first)).unwrap();
    let proof = match hash {
        Hash::Sha1 => {
            let mut salted = [0; 20];
            pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), &salt, rounds, &mut salted);
            mac::<Hmac<Sha1>>(&mac::<Hmac<Sha1>>(&salted, "Server Key"), message)
        }
        Hash::Sha256 => {
            let mut salted = [0; 32];
            pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
            mac::<Hmac<Sha256>>(&mac::<Hmac<Sha256>>(&salted, "Server Key"), message)
        }
    };
    STANDARD.encode(proof)
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &str) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}
