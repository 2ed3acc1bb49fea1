//! The table of SASL mechanisms. Only this file knows their names.

use crate::auth::Mechanism;
use crate::auth::anonymous::Anonymous;
#[cfg(feature = "cram-md5")]
use crate::auth::cram_md5::CramMd5;
use crate::auth::error::CredentialsError;
use crate::auth::external::External;
use crate::auth::login::Login;
use crate::auth::oauth::{OAuthBearer, XOAuth2};
use crate::auth::plain::Plain;
#[cfg(feature = "scram")]
use crate::auth::scram::{Hash, Scram};
use crate::secret::Secret;

/// What credentials consist of. A mechanism carries one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Anonymous,
    Bearer,
    Certificate,
    Password,
}

/// What a listener learns from the client's side of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// No secret.
    Nothing,
    /// A value with which guesses can be checked without the server.
    #[cfg_attr(
        not(any(feature = "scram", feature = "cram-md5")),
        allow(dead_code, reason = "only mechanisms behind features do so")
    )]
    Hash,
    /// The password or token.
    Secret,
}

/// A mechanism.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) shows: Shows,
    pub(crate) needs_tls: bool,
    /// Whether the mechanism ties the login to the TLS session (RFC 5802, 6).
    pub(crate) binds: bool,
    make: Maker,
}

type Maker = fn(&Ingredients<'_>) -> Result<Box<dyn Mechanism>, CredentialsError>;

/// What a mechanism is made from.
#[derive(Debug)]
pub(crate) struct Ingredients<'a> {
    pub(crate) user: &'a str,
    pub(crate) secret: Secret,
    /// The host and port, for the mechanism that sends them.
    pub(crate) server: Option<(&'a str, u16)>,
    #[cfg_attr(
        not(feature = "scram"),
        allow(dead_code, reason = "only SCRAM ties a login to TLS")
    )]
    pub(crate) binding: &'a Binding,
}

/// What is known about tying a login to its TLS session.
#[derive(Debug, Default)]
#[cfg_attr(
    not(feature = "scram"),
    allow(dead_code, reason = "only SCRAM ties a login to TLS")
)]
pub(crate) struct Binding {
    /// The `tls-server-end-point` of the session (RFC 5929, 4), if it is known.
    pub(crate) data: Option<Vec<u8>>,
    /// Whether the server offers a mechanism that binds.
    pub(crate) is_offered: bool,
}

impl Row {
    /// A new run of the mechanism.
    pub(crate) fn make(
        &self,
        ingredients: &Ingredients<'_>,
    ) -> Result<Box<dyn Mechanism>, CredentialsError> {
        (self.make)(ingredients)
    }
}

/// The mechanism of this name, if it is in the table.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// The feature that a known mechanism needs and this build lacks.
pub(crate) fn missing_feature(name: &str) -> Option<&'static str> {
    let feature = match name {
        "CRAM-MD5" => "cram-md5",
        "SCRAM-SHA-1" | "SCRAM-SHA-1-PLUS" | "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS" => "scram",
        _ => return None,
    };
    find(name).is_none().then_some(feature)
}

/// All mechanisms, the best first.
///
/// CRAM-MD5 comes last. Under TLS, PLAIN is better: with it the server can store a hash of the
/// password instead of the password.
pub(crate) const TABLE: &[Row] = &[
    #[cfg(feature = "scram")]
    Row {
        name: "SCRAM-SHA-256-PLUS",
        kind: Kind::Password,
        shows: Shows::Hash,
        needs_tls: true,
        binds: true,
        make: |given| scram(given, Hash::Sha256, true),
    },
    #[cfg(feature = "scram")]
    Row {
        name: "SCRAM-SHA-1-PLUS",
        kind: Kind::Password,
        shows: Shows::Hash,
        needs_tls: true,
        binds: true,
        make: |given| scram(given, Hash::Sha1, true),
    },
    #[cfg(feature = "scram")]
    Row {
        name: "SCRAM-SHA-256",
        kind: Kind::Password,
        shows: Shows::Hash,
        needs_tls: false,
        binds: false,
        make: |given| scram(given, Hash::Sha256, false),
    },
    #[cfg(feature = "scram")]
    Row {
        name: "SCRAM-SHA-1",
        kind: Kind::Password,
        shows: Shows::Hash,
        needs_tls: false,
        binds: false,
        make: |given| scram(given, Hash::Sha1, false),
    },
    Row {
        name: "PLAIN",
        kind: Kind::Password,
        shows: Shows::Secret,
        needs_tls: true,
        binds: false,
        make: |given| Ok(Box::new(Plain::new(given.user, given.secret.clone())?)),
    },
    Row {
        name: "LOGIN",
        kind: Kind::Password,
        shows: Shows::Secret,
        needs_tls: true,
        binds: false,
        make: |given| Ok(Box::new(Login::new(given.user, given.secret.clone())?)),
    },
    #[cfg(feature = "cram-md5")]
    Row {
        name: "CRAM-MD5",
        kind: Kind::Password,
        shows: Shows::Hash,
        needs_tls: false,
        binds: false,
        make: |given| Ok(Box::new(CramMd5::new(given.user, given.secret.clone())?)),
    },
    Row {
        name: "OAUTHBEARER",
        kind: Kind::Bearer,
        shows: Shows::Secret,
        needs_tls: true,
        binds: false,
        make: oauth_bearer,
    },
    Row {
        name: "XOAUTH2",
        kind: Kind::Bearer,
        shows: Shows::Secret,
        needs_tls: true,
        binds: false,
        make: |given| Ok(Box::new(XOAuth2::new(given.user, given.secret.clone())?)),
    },
    Row {
        name: "EXTERNAL",
        kind: Kind::Certificate,
        shows: Shows::Nothing,
        needs_tls: true,
        binds: false,
        make: |given| Ok(Box::new(External::acting_as(given.user)?)),
    },
    Row {
        name: "ANONYMOUS",
        kind: Kind::Anonymous,
        shows: Shows::Nothing,
        needs_tls: false,
        binds: false,
        make: |given| Ok(Box::new(Anonymous::new(given.user)?)),
    },
];

fn oauth_bearer(given: &Ingredients<'_>) -> Result<Box<dyn Mechanism>, CredentialsError> {
    let mechanism = OAuthBearer::new(given.user, given.secret.clone())?;
    Ok(Box::new(match given.server {
        Some((host, port)) => mechanism.server(host, port),
        None => mechanism,
    }))
}

#[cfg(feature = "scram")]
fn scram(
    given: &Ingredients<'_>,
    hash: Hash,
    binds: bool,
) -> Result<Box<dyn Mechanism>, CredentialsError> {
    let mechanism = Scram::new(hash, given.user, given.secret.clone())?;
    Ok(Box::new(match &given.binding.data {
        Some(data) if binds => mechanism.bound_to(data),
        // If somebody removed the server's offer of -PLUS, the server sees it by this flag (RFC
        // 5802, 6).
        Some(_) if !given.binding.is_offered => mechanism.could_bind(),
        _ => mechanism,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(row: &Row) -> Box<dyn Mechanism> {
        let binding = Binding {
            data: Some(vec![1]),
            is_offered: true,
        };
        let ingredients = Ingredients {
            user: "alice",
            secret: "tanstaaf".into(),
            server: None,
            binding: &binding,
        };
        row.make(&ingredients).unwrap()
    }

    #[test]
    fn the_table_says_of_each_mechanism_what_the_mechanism_says() {
        for row in TABLE {
            let mechanism = made(row);
            assert_eq!(mechanism.name(), row.name);
            assert_eq!(mechanism.needs_tls(), row.needs_tls, "{}", row.name);
            assert!(row.shows != Shows::Secret || row.needs_tls, "{}", row.name);
            assert!(!row.binds || row.needs_tls, "{}", row.name);
            let named = TABLE.iter().filter(|other| other.name == row.name);
            assert_eq!(named.count(), 1, "{}", row.name);
        }
    }

    // B8
    #[test]
    fn the_best_mechanism_comes_first() {
        let names = |kind| {
            let rows = TABLE.iter().filter(move |row| row.kind == kind);
            rows.map(|row| row.name).collect::<Vec<_>>()
        };
        let mut passwords = names(Kind::Password);
        passwords.retain(|name| missing_feature(name).is_none());
        let mut expected = vec![
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "PLAIN",
            "LOGIN",
            "CRAM-MD5",
        ];
        expected.retain(|name| missing_feature(name).is_none());
        assert_eq!(passwords, expected);
        assert_eq!(names(Kind::Bearer), ["OAUTHBEARER", "XOAUTH2"]);
    }

    // C11
    #[test]
    fn an_unknown_name_is_nothing() {
        for name in ["", "plain", "X-OWN", "LOGIN2", "DIGEST-MD5"] {
            assert!(find(name).is_none());
            assert_eq!(missing_feature(name), None);
        }
    }
}
