//! [`Secret`]: a password or token that nobody prints by accident.

use std::fmt;
use std::hint::black_box;

/// A password or token: `Debug` hides it, there is no `Display`, and dropping it overwrites its
/// memory.
///
/// The overwriting is as good as safe code can make it: copies that moving or growing left behind
/// stay out of reach.
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
    /// The secret itself; search for this name to find every place that sees one.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
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

/// Overwrites octets in a way that the compiler does not take for useless.
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

    #[test]
    fn wiping_leaves_nothing() {
        let mut octets = *b"tanstaaf";
        wipe(&mut octets);
        assert_eq!(octets, [0; 8]);
    }
}
