//! [`User`]: who has logged in on a connection.

use crate::auth::credentials::Credentials;
use crate::auth::table::Kind;

/// Who has logged in on a connection.
#[derive(Debug)]
pub(crate) enum User {
    Nobody,
    /// Only the caller's own mechanism knows.
    Unknown,
    /// The name is empty if a certificate says it: a TLS session has one.
    Known {
        kind: Kind,
        name: Box<str>,
    },
}

/// Who had logged in before, for somebody who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nobody, as far as this side knows.
    Nobody,
    /// Another user, or perhaps another user.
    Other,
    /// The same user.
    Same,
}

impl User {
    /// The user of these credentials.
    pub(crate) fn of(credentials: &Credentials) -> Self {
        Self::Known {
            kind: credentials.kind(),
            name: credentials.user().into(),
        }
    }

    /// Who this is for the user of these credentials. The same name in credentials of another kind
    /// may be another user: that of ANONYMOUS is no user at all.
    pub(crate) fn before(&self, credentials: &Credentials) -> Before {
        match self {
            Self::Known { kind, name }
                if (*kind, &**name) == (credentials.kind(), credentials.user()) =>
            {
                Before::Same
            }
            _ => self.before_anybody(),
        }
    }

    /// Who this is for a user whose name is not known.
    pub(crate) fn before_anybody(&self) -> Before {
        match self {
            Self::Nobody => Before::Nobody,
            Self::Unknown | Self::Known { .. } => Before::Other,
        }
    }
}
