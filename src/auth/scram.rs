//! SCRAM-SHA-256 (RFC 7677) and SCRAM-SHA-1 (RFC 5802), with and without channel binding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::auth::Mechanism;
use crate::auth::error::{AuthReason, CredentialsError, check_name};
use crate::secret::{Secret, wipe};

/// The fewest rounds of hashing (RFC 7677, 4). With fewer, an impostor could guess the password
/// easily.
const MIN_ITERATIONS: u32 = 4096;
/// The most rounds of hashing. With more, a server could keep this side busy for minutes.
const MAX_ITERATIONS: u32 = 600_000;
/// The bytes of the client's nonce: 24 characters in base64.
const NONCE: usize = 18;
/// The longest error text of the server that is kept, in characters.
const MAX_ERROR: usize = 128;

/// SCRAM-SHA-256 (RFC 7677), SCRAM-SHA-1 (RFC 5802) and their `-PLUS` forms. Feature `scram`.
///
/// The client proves that it knows the password without sending it, and the server proves the same.
///
/// A login counts only if the server's proof is right. The server may ask for 4096 to 600,000
/// rounds of hashing. User name and password are used unchanged, without `SASLprep` (RFC 4013),
/// because servers store them in this way.
///
/// ```no_run
/// use smtplib::auth::Scram;
///
/// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
/// smtp.authenticate(&mut Scram::sha256("alice", "secret")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Scram {
    hash: Hash,
    user: String,
    password: Secret,
    nonce: String,
    /// False only for the examples of the RFCs, which have their nonces.
    draws_nonce: bool,
    binding: ChannelBinding,
    stage: Stage,
    failure: Option<String>,
    reason: AuthReason,
}

/// The hash of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

/// The flag of the GS2 header, and its data (RFC 5802, 6).
#[derive(Clone, Debug, PartialEq, Eq)]
enum ChannelBinding {
    /// `n`: this side cannot bind.
    Impossible,
    /// `y`: this side could bind, and believes that the server cannot.
    NotOffered,
    /// `p`: the `tls-server-end-point` of the session.
    EndPoint(Vec<u8>),
}

#[derive(Clone, Debug)]
enum Stage {
    /// The server's nonce, salt and iterations come next.
    First,
    /// The server's proof comes next.
    Proof {
        server_key: Key,
        auth_message: String,
    },
    /// The proof was right.
    Proven,
    /// The dialog is over.
    Failed,
}

/// A derived key, wiped when it is dropped.
#[derive(Clone)]
struct Key(Vec<u8>);

impl Scram {
    /// Logs in as `user` with SCRAM-SHA-256.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the user name or the password is empty or has a control character,
    /// or the operating system has no random numbers.
    pub fn sha256(
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Self::new(Hash::Sha256, user, password)
    }

    /// Logs in as `user` with SCRAM-SHA-1.
    ///
    /// # Errors
    ///
    /// As [`sha256`](Self::sha256).
    pub fn sha1(
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        Self::new(Hash::Sha1, user, password)
    }

    pub(crate) fn new(
        hash: Hash,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, CredentialsError> {
        let nonce = draw_nonce().ok_or(CredentialsError::NoRandomness)?;
        Ok(Self {
            draws_nonce: true,
            ..Self::with_nonce(hash, user, password, nonce)?
        })
    }

    pub(crate) fn with_nonce(
        hash: Hash,
        user: impl Into<String>,
        password: impl Into<Secret>,
        nonce: String,
    ) -> Result<Self, CredentialsError> {
        let (user, password) = (user.into(), password.into());
        check_name(&user)?;
        check_name(password.expose())?;
        Ok(Self {
            hash,
            user,
            password,
            nonce,
            draws_nonce: false,
            binding: ChannelBinding::Impossible,
            stage: Stage::First,
            failure: None,
            reason: AuthReason::Cancelled,
        })
    }

    /// Ties the login to its TLS session, which makes it the `-PLUS` form.
    ///
    /// `end_point` is the hash of the server's certificate (`tls-server-end-point`, RFC 5929, 4).
    ///
    /// Logging in with a [`Config`](crate::Config) does this for you if the server offers it. By
    /// hand, for a certificate that is signed with SHA-256:
    ///
    /// ```no_run
    /// use sha2::{Digest, Sha256};
    /// use smtplib::auth::Scram;
    ///
    /// # fn log_in(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
    /// let certificate = smtp.peer_certificate().unwrap_or_default();
    /// let mechanism = Scram::sha256("alice", "secret")?;
    /// smtp.authenticate(&mut mechanism.bound_to(&Sha256::digest(certificate)))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn bound_to(mut self, end_point: &[u8]) -> Self {
        self.binding = ChannelBinding::EndPoint(end_point.to_vec());
        self
    }

    /// Tells the server that this side could bind but saw no offer of it.
    pub(crate) fn could_bind(mut self) -> Self {
        self.binding = ChannelBinding::NotOffered;
        self
    }

    fn gs2_header(&self) -> &'static str {
        match self.binding {
            ChannelBinding::Impossible => "n,,",
            ChannelBinding::NotOffered => "y,,",
            ChannelBinding::EndPoint(_) => "p=tls-server-end-point,,",
        }
    }

    fn client_first_bare(&self) -> String {
        // saslname (RFC 5802, 5.1): `=` and `,` structure the message and are escaped.
        let user = self.user.replace('=', "=3D").replace(',', "=2C");
        format!("n={user},r={}", self.nonce)
    }

    /// `c=…,r=…`: the GS2 header again, so that a change of it is noticed, and both nonces.
    fn client_final_without_proof(&self, nonce: &str) -> String {
        let mut header = self.gs2_header().as_bytes().to_vec();
        if let ChannelBinding::EndPoint(data) = &self.binding {
            header.extend_from_slice(data);
        }
        format!("c={},r={nonce}", STANDARD.encode(header))
    }

    /// The response to the server's first message.
    fn prove(&mut self, challenge: &str) -> Result<Vec<u8>, &'static str> {
        let server = ServerFirst::parse(challenge, &self.nonce)?;
        let without_proof = self.client_final_without_proof(server.nonce);
        let bare = self.client_first_bare();
        let auth_message = format!("{bare},{challenge},{without_proof}");
        let keys = Keys::derive(self.hash, &self.password, &server, &auth_message);
        let keys = keys.ok_or("the keys could not be derived")?;
        let proof = STANDARD.encode(&keys.proof.0);
        self.stage = Stage::Proof {
            server_key: keys.server,
            auth_message,
        };
        Ok(format!("{without_proof},p={proof}").into_bytes())
    }

    /// Takes the server's last message: its proof, or an error (RFC 5802, 7).
    fn verify(&mut self, message: &str) -> Option<Vec<u8>> {
        let Stage::Proof {
            server_key,
            auth_message,
        } = std::mem::replace(&mut self.stage, Stage::Failed)
        else {
            return None;
        };
        let first = message.split(',').next().unwrap_or_default();
        if let Some(error) = first.strip_prefix("e=") {
            self.failure = Some(readable(error));
            // The server still has to send its 5yz. Whatever it sends, it has proven nothing.
            return Some(Vec::new());
        }
        let signature = first.strip_prefix("v=").map(|text| STANDARD.decode(text));
        let is_right = signature.and_then(Result::ok).is_some_and(|signature| {
            self.hash
                .verify(&server_key.0, auth_message.as_bytes(), &signature)
        });
        if is_right {
            self.stage = Stage::Proven;
            return Some(Vec::new());
        }
        self.reason = AuthReason::ServerUnproven;
        None
    }

    /// Begins a run with this nonce, or with none if the system has no random numbers.
    fn begin(&mut self, nonce: Option<String>) -> Option<Vec<u8>> {
        self.failure = None;
        self.reason = AuthReason::Cancelled;
        let Some(nonce) = nonce else {
            return self.give_up("the operating system has no random numbers for the login");
        };
        self.nonce = nonce;
        self.stage = Stage::First;
        Some(format!("{}{}", self.gs2_header(), self.client_first_bare()).into_bytes())
    }

    fn give_up(&mut self, why: &str) -> Option<Vec<u8>> {
        self.failure = Some(why.to_owned());
        self.stage = Stage::Failed;
        None
    }
}

impl Mechanism for Scram {
    fn name(&self) -> &str {
        let is_bound = matches!(self.binding, ChannelBinding::EndPoint(_));
        match (self.hash, is_bound) {
            (Hash::Sha1, false) => "SCRAM-SHA-1",
            (Hash::Sha1, true) => "SCRAM-SHA-1-PLUS",
            (Hash::Sha256, false) => "SCRAM-SHA-256",
            (Hash::Sha256, true) => "SCRAM-SHA-256-PLUS",
        }
    }

    /// With the nonce of an earlier run, a record of that run would prove an impostor (RFC 5802,
    /// 5.1).
    fn initial_response(&mut self) -> Option<Vec<u8>> {
        let nonce = match self.draws_nonce {
            true => draw_nonce(),
            false => Some(self.nonce.clone()),
        };
        self.begin(nonce)
    }

    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        let Ok(challenge) = std::str::from_utf8(challenge) else {
            return self.give_up("the server's message is not UTF-8");
        };
        match self.stage {
            Stage::First => match self.prove(challenge) {
                Ok(response) => Some(response),
                Err(why) => self.give_up(why),
            },
            Stage::Proof { .. } => self.verify(challenge),
            Stage::Proven | Stage::Failed => None,
        }
    }

    fn finish(&mut self, data: &[u8]) {
        if let Ok(data) = std::str::from_utf8(data) {
            self.verify(data);
        }
    }

    fn needs_tls(&self) -> bool {
        matches!(self.binding, ChannelBinding::EndPoint(_))
    }

    fn is_satisfied(&self) -> bool {
        matches!(self.stage, Stage::Proven)
    }

    fn reason(&self) -> AuthReason {
        self.reason
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn secret(&self) -> Option<&str> {
        Some(self.password.expose())
    }
}

/// A nonce from the operating system, in base64, which has no comma.
fn draw_nonce() -> Option<String> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).ok()?;
    Some(STANDARD.encode(nonce))
}

/// The server's first message: `r=…,s=…,i=…`, in this order (RFC 5802, 5.1 and 7).
#[derive(Debug)]
struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> ServerFirst<'a> {
    fn parse(message: &'a str, client_nonce: &str) -> Result<Self, &'static str> {
        let mut attributes = message.split(',');
        let mut next = |name| attributes.next().and_then(|text| text.strip_prefix(name));
        if message.starts_with("m=") {
            return Err("the server wants an extension that this library does not know");
        }
        let nonce = next("r=").ok_or("the server's message has no nonce")?;
        let own_part = nonce.strip_prefix(client_nonce).unwrap_or_default();
        if own_part.is_empty() || !own_part.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err("the server's nonce does not continue ours");
        }
        let salt = next("s=").and_then(|salt| STANDARD.decode(salt).ok());
        let salt = salt.filter(|salt| !salt.is_empty());
        let salt = salt.ok_or("the server's message has no salt")?;
        let iterations = next("i=").and_then(number);
        let iterations = iterations.ok_or("the server's message has no number of rounds")?;
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err("the server wants fewer than 4096 or more than 600000 rounds of hashing");
        }
        Ok(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

/// A positive number without leading zeros. A number that does not fit becomes the largest.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.starts_with('0') && text.bytes().all(|octet| octet.is_ascii_digit());
    (is_number && !text.is_empty()).then(|| text.parse().unwrap_or(u32::MAX))
}

/// An error text of the server, without characters that are unsafe to print.
fn readable(error: &str) -> String {
    let graphic = error.chars().filter(char::is_ascii_graphic);
    graphic.take(MAX_ERROR).collect()
}

/// The client's proof, and the key that checks the server's proof (RFC 5802, 3).
struct Keys {
    proof: Key,
    server: Key,
}

impl Keys {
    fn derive(
        hash: Hash,
        password: &Secret,
        server: &ServerFirst<'_>,
        auth_message: &str,
    ) -> Option<Self> {
        let salted = hash.salted(
            password.expose().as_bytes(),
            &server.salt,
            server.iterations,
        );
        let client_key = hash.hmac(&salted.0, b"Client Key")?;
        let stored_key = hash.digest(&client_key.0);
        let signature = hash.hmac(&stored_key.0, auth_message.as_bytes())?;
        let pairs = client_key.0.iter().zip(&signature.0);
        Some(Self {
            proof: Key(pairs.map(|(key, signature)| key ^ signature).collect()),
            server: hash.hmac(&salted.0, b"Server Key")?,
        })
    }
}

impl Hash {
    fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Key {
        match self {
            Self::Sha1 => {
                let mut key = vec![0; 20];
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut key);
                Key(key)
            }
            Self::Sha256 => {
                let mut key = vec![0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut key);
                Key(key)
            }
        }
    }

    fn digest(self, octets: &[u8]) -> Key {
        Key(match self {
            Self::Sha1 => Sha1::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
        })
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> Option<Key> {
        match self {
            Self::Sha1 => hmac::<Hmac<Sha1>>(key, message),
            Self::Sha256 => hmac::<Hmac<Sha256>>(key, message),
        }
    }

    /// Compares in a time that does not depend on where the difference is.
    fn verify(self, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
        match self {
            Self::Sha1 => verify::<Hmac<Sha1>>(key, message, tag),
            Self::Sha256 => verify::<Hmac<Sha256>>(key, message, tag),
        }
    }
}

/// HMAC takes keys of any length, so this is never `None`.
fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Option<Key> {
    let mac = <M as KeyInit>::new_from_slice(key).ok()?;
    Some(Key(mac
        .chain_update(message)
        .finalize()
        .into_bytes()
        .to_vec()))
}

fn verify<M: Mac + KeyInit>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mac = <M as KeyInit>::new_from_slice(key);
    mac.is_ok_and(|mac| mac.chain_update(message).verify_slice(tag).is_ok())
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

#[cfg(test)]
mod tests;
