//! Chooses the mechanisms to try, from what the server offers and the configuration allows.

use crate::auth::table::{Kind, Row, Shows, TABLE, find};

/// What a connection allows a mechanism to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) is_tls: bool,
    /// The configuration asks for no TLS. False if TLS was wanted but the server did not offer it.
    pub(crate) is_meant_to_be_plain: bool,
    /// The caller allows passwords without TLS.
    pub(crate) allows_plaintext: bool,
    /// The TLS session has data that a login can be tied to.
    pub(crate) can_bind: bool,
}

impl Circumstances {
    /// Whether a mechanism may be used.
    fn permit(self, row: &Row) -> bool {
        (!row.binds || self.can_bind) && (self.is_tls || self.permit_plain(row))
    }

    /// Whether a mechanism may be used without TLS. A hash allows guessing the password. So it is
    /// not sent if TLS was wanted: somebody may have removed the offer of STARTTLS.
    fn permit_plain(self, row: &Row) -> bool {
        self.allows_plaintext
            || !row.needs_tls && (row.shows == Shows::Nothing || self.is_meant_to_be_plain)
    }
}

/// Why there is no mechanism to try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoChoice {
    /// The configuration excludes these mechanisms, which the server offers and which fit the
    /// credentials.
    Excluded(Vec<&'static str>),
    /// TLS is needed for every mechanism that fits.
    NeedsTls,
    /// Nothing that the server offers fits the credentials.
    Unfit,
}

/// The mechanisms that fit the credentials, are allowed and are offered, the best first.
pub(crate) fn choose(
    kind: Kind,
    allowed: Option<&[String]>,
    offered: &[&str],
    circumstances: Circumstances,
) -> Result<Vec<&'static Row>, NoChoice> {
    let is_offered = |row: &&Row| offered.contains(&row.name);
    let rows: Vec<_> = fitting(kind, allowed).filter(is_offered).collect();
    let mut permitted = rows.clone();
    permitted.retain(|row| circumstances.permit(row));
    if !permitted.is_empty() {
        return Ok(permitted);
    }
    if !circumstances.is_tls && !rows.is_empty() {
        return Err(NoChoice::NeedsTls);
    }
    let excluded = fitting(kind, None).filter(is_offered).map(|row| row.name);
    match excluded.collect::<Vec<_>>() {
        names if names.is_empty() || allowed.is_none() => Err(NoChoice::Unfit),
        names => Err(NoChoice::Excluded(names)),
    }
}

/// Whether a mechanism could be used without TLS, whatever the server offers.
pub(crate) fn may_go_without_tls(kind: Kind, allowed: Option<&[String]>) -> bool {
    fitting(kind, allowed).any(|row| !row.needs_tls)
}

/// The mechanisms that fit the credentials and are allowed, in the caller's order if there is one.
fn fitting(kind: Kind, allowed: Option<&[String]>) -> impl Iterator<Item = &'static Row> {
    let rows: Vec<_> = match allowed {
        Some(names) => names.iter().filter_map(|name| find(name)).collect(),
        None => TABLE.iter().collect(),
    };
    rows.into_iter().filter(move |row| row.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS: Circumstances = Circumstances {
        is_tls: true,
        is_meant_to_be_plain: false,
        allows_plaintext: false,
        can_bind: false,
    };
    const LOST: Circumstances = Circumstances {
        is_tls: false,
        ..TLS
    };
    const PLAIN: Circumstances = Circumstances {
        is_meant_to_be_plain: true,
        ..LOST
    };

    fn choice(
        kind: Kind,
        allowed: Option<&[&str]>,
        offered: &[&str],
        circumstances: Circumstances,
    ) -> Result<Vec<&'static str>, NoChoice> {
        let allowed: Option<Vec<String>> =
            allowed.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let rows = choose(kind, allowed.as_deref(), offered, circumstances)?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    #[test]
    fn what_both_sides_know_the_best_first() {
        let offered = ["X-OWN", "LOGIN", "XOAUTH2", "PLAIN", "EXTERNAL"];
        let pick = |kind| choice(kind, None, &offered, TLS);
        assert_eq!(pick(Kind::Password), Ok(vec!["PLAIN", "LOGIN"]));
        assert_eq!(pick(Kind::Bearer), Ok(vec!["XOAUTH2"]));
        assert_eq!(pick(Kind::Certificate), Ok(vec!["EXTERNAL"]));
        assert_eq!(pick(Kind::Anonymous), Err(NoChoice::Unfit));
    }

    // 4422-04, F9
    #[test]
    fn the_caller_can_choose_and_can_leave_nothing() {
        let pick = |allowed: &[&str], offered: &[&str]| {
            choice(Kind::Password, Some(allowed), offered, TLS)
        };
        assert_eq!(
            pick(&["LOGIN", "PLAIN"], &["PLAIN", "LOGIN"]),
            Ok(vec!["LOGIN", "PLAIN"])
        );
        assert_eq!(
            pick(&["LOGIN"], &["PLAIN", "NTLM"]),
            Err(NoChoice::Excluded(vec!["PLAIN"]))
        );
        assert_eq!(pick(&["LOGIN"], &["NTLM"]), Err(NoChoice::Unfit));
    }

    // C11
    #[test]
    fn an_unknown_name_chooses_nothing() {
        assert_eq!(
            choice(Kind::Password, Some(&["X-OWN"]), &["X-OWN", "LOGIN"], TLS),
            Err(NoChoice::Excluded(vec!["LOGIN"]))
        );
    }

    // 4954-12, B12
    #[test]
    fn without_tls_no_password_goes() {
        for circumstances in [LOST, PLAIN] {
            let pick = |offered: &[&str]| choice(Kind::Password, None, offered, circumstances);
            assert_eq!(pick(&["PLAIN", "LOGIN"]), Err(NoChoice::NeedsTls));
            assert_eq!(pick(&["NTLM"]), Err(NoChoice::Unfit));
            let anonymous = choice(Kind::Anonymous, None, &["ANONYMOUS"], circumstances);
            assert_eq!(anonymous, Ok(vec!["ANONYMOUS"]));
        }
        let allowed = Circumstances {
            allows_plaintext: true,
            ..LOST
        };
        assert_eq!(
            choice(Kind::Password, None, &["PLAIN"], allowed),
            Ok(vec!["PLAIN"])
        );
    }

    #[cfg(all(feature = "scram", feature = "cram-md5"))]
    #[test]
    fn a_hash_goes_without_tls_only_where_no_tls_was_wanted() {
        let offered = [
            "CRAM-MD5",
            "PLAIN",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-256",
        ];
        let pick = |circumstances| choice(Kind::Password, None, &offered, circumstances);
        assert_eq!(pick(LOST), Err(NoChoice::NeedsTls));
        assert_eq!(
            pick(PLAIN),
            Ok(vec!["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"])
        );
        let unbound = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "CRAM-MD5"];
        assert_eq!(pick(TLS).unwrap(), unbound);
        let bound = pick(Circumstances {
            can_bind: true,
            ..TLS
        });
        assert_eq!(bound.unwrap()[0], "SCRAM-SHA-256-PLUS");
    }
}
