//! CRAM-MD5 (RFC 2195).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

use crate::auth::Mechanism;
use crate::auth::account::Account;
use crate::auth::error::{CredentialsError, check_name};
use crate::secret::Secret;

/// CRAM-MD5 (RFC 2195), for old servers without a better mechanism. Feature `cram-md5`.
///
/// The password is not sent. But anyone who reads the dialog can guess it quickly, and the server
/// proves nothing. Under TLS, PLAIN is preferred.
///
/// ```no_run
/// use smtplib::auth::CramMd5;
///
/// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut CramMd5::new("alice", "secret")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CramMd5 {
    account: Account,
    has_answered: bool,
}

impl CramMd5 {
    /// Logs in as `user`.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the user name or the password is empty or has a control character.
    pub fn new(
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self {
            account: Account::new(user, password, check_name)?,
            has_answered: false,
        })
    }
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &str {
        "CRAM-MD5"
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        self.has_answered = false;
        None
    }

    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        // The response to an empty challenge would always be the same, so it could be replayed.
        if self.has_answered || challenge.is_empty() {
            return None;
        }
        self.has_answered = true;
        let key = self.account.expose().as_bytes();
        let mac = <Hmac<Md5> as KeyInit>::new_from_slice(key).ok()?;
        let digest = mac.chain_update(challenge).finalize().into_bytes();
        let mut response = format!("{} ", self.account.user);
        for octet in digest {
            response.push_str(&format!("{octet:02x}"));
        }
        Some(response.into_bytes())
    }

    fn needs_tls(&self) -> bool {
        false
    }

    fn secret(&self) -> Option<&str> {
        Some(self.account.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(password: &str, challenge: &[u8]) -> Option<String> {
        let mut cram = CramMd5::new("tim", password).unwrap();
        assert_eq!(cram.initial_response(), None);
        let answer = cram.respond(challenge)?;
        assert_eq!(cram.respond(challenge), None, "one answer");
        Some(String::from_utf8(answer).unwrap())
    }

    // 2195-01, 2195-02: the example of RFC 2195, 2.
    #[test]
    fn the_example_of_rfc_2195() {
        assert_eq!(
            answer(
                "tanstaaftanstaaf",
                b"<1896.697170952@postoffice.reston.mci.net>"
            )
            .unwrap(),
            "tim b913a602c7eda7a495b4e6e7334d3890"
        );
    }

    // 2195-03: a key that is longer than a block. The keys in RFC 2202 are not text. So this is its
    // test case 6 with another key, and the digest comes from Python's `hmac`.
    #[test]
    fn a_long_password_is_hashed_first() {
        let challenge = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let long = "k".repeat(80);
        let hashed = answer(&long, challenge).unwrap();
        assert_eq!(hashed, "tim 01bc5b88dc6a56018686a956c14c8d08");
        assert_ne!(hashed, answer(&long[..64], challenge).unwrap());
    }

    #[test]
    fn an_empty_challenge_is_not_answered() {
        assert_eq!(answer("tanstaaf", b""), None);
    }
}
