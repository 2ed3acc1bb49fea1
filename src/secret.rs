//! [`Secret`]: a password or token that is never printed by accident.

use std::fmt;
use std::hint::black_box;

/// A password or token: `Debug` hides it, there is no `Display`, and dropping it overwrites its
/// memory.
///
/// Overwriting is limited to what safe code can do: copies left by a move or a growing buffer stay
/// in memory.
///
/// ```
/// use smtplib::Secret;
///
/// let password = Secret::from("tanstaaftanstaaf");
/// assert_eq!(format!("{password:?}"), "***");
/// assert_eq!(password.expose(), "tanstaaftanstaaf");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the secret itself; search for this name to find every place that sees one.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    #[inline(never)]
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.0).into_bytes());
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The secrets that a connection has sent. Every reply is searched for them.
pub(crate) struct Secrets {
    list: Vec<Secret>,
    /// For each byte, whether a secret begins with it. So a reply is searched only once.
    first: [bool; 256],
}

impl Secrets {
    pub(crate) fn new() -> Self {
        Self {
            list: Vec::new(),
            first: [false; 256],
        }
    }

    /// Adds a secret, unless it is empty or already in the list.
    pub(crate) fn add(&mut self, secret: &str) {
        let Some(first) = secret.bytes().next() else {
            return;
        };
        if self.list.iter().any(|known| known.expose() == secret) {
            return;
        }
        self.list.push(Secret::from(secret));
        if let Some(is_first) = self.first.get_mut(usize::from(first)) {
            *is_first = true;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn list(&self) -> Vec<&str> {
        self.list.iter().map(Secret::expose).collect()
    }

    /// Whether the bytes contain a secret.
    pub(crate) fn occur_in(&self, octets: &[u8]) -> bool {
        if self.list.is_empty() {
            return false;
        }
        let is_first = |octet: &u8| self.first.get(usize::from(*octet)) == Some(&true);
        let mut places = octets
            .iter()
            .enumerate()
            .filter(|(_, octet)| is_first(octet));
        places.any(|(at, _)| {
            let rest = octets.get(at..).unwrap_or_default();
            let mut secrets = self.list.iter();
            secrets.any(|secret| rest.starts_with(secret.expose().as_bytes()))
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Overwrites bytes in a way that the compiler does not optimize away.
pub(crate) fn wipe(octets: &mut [u8]) {
    octets.fill(0);
    black_box(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    // Z1
    #[test]
    fn debug_hides_it_at_any_depth() {
        let secret = Secret::from("tanstaaf".to_owned());
        assert_eq!(format!("{secret:?} {secret:#?}"), "*** ***");
        assert_eq!(format!("{:?}", Some([&secret])), "Some([***])");
        assert_eq!(secret.clone(), secret);
    }

    // E7
    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let mut secrets = Secrets::new();
        assert!(secrets.is_empty() && !secrets.occur_in(b"tanstaaf"));
        for secret in ["", "tanstaaf", "dGlt", "tanstaaf"] {
            secrets.add(secret);
        }
        assert_eq!(secrets.list(), ["tanstaaf", "dGlt"]);
        for octets in [&b"tanstaaf"[..], b"tatanstaaf", b"\xff dGlt", b"dGdGltx"] {
            assert!(secrets.occur_in(octets));
        }
        for octets in [&b""[..], b"tanstaa", b"Tanstaaf", b"dGl"] {
            assert!(!secrets.occur_in(octets));
        }
        assert_eq!(format!("{secrets:?}"), "***");
    }

    #[test]
    fn wiping_leaves_nothing() {
        let mut octets = *b"tanstaaf";
        wipe(&mut octets);
        assert_eq!(octets, [0; 8]);
    }
}
