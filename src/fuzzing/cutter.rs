//! [`Cutter`]: cuts the fuzzer's bytes into the values that a property needs.

/// The byte between two fields. It never occurs in UTF-8, and seeds with it stay readable.
const SEPARATOR: u8 = 0xff;

/// Cuts the fuzzer's bytes into the values that a property needs.
///
/// Fields end at a separator and do not begin with a length. So a mutation of one field leaves the
/// others unchanged.
#[derive(Clone, Debug)]
pub(super) struct Cutter<'a>(&'a [u8]);

impl<'a> Cutter<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte, or 0 after the end.
    pub(super) fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Everything up to the next separator, or to the end.
    pub(super) fn field(&mut self) -> &'a [u8] {
        let mut halves = self.0.splitn(2, |octet| *octet == SEPARATOR);
        let field = halves.next().unwrap_or_default();
        self.0 = halves.next().unwrap_or_default();
        field
    }

    /// The next field as text.
    pub(super) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.field()).into_owned()
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_cut_and_never_runs_out() {
        let mut cutter = Cutter::new(b"\x01one\xff\xfftwo\xffrest");
        assert_eq!(cutter.octet(), 1);
        assert_eq!(
            [cutter.field(), cutter.field(), cutter.field()],
            [&b"one"[..], b"", b"two"]
        );
        assert!(!cutter.is_empty());
        assert_eq!(cutter.clone().text(), "rest");
        assert_eq!(cutter.rest(), b"rest");
        assert!(cutter.is_empty());
        assert_eq!(
            (cutter.octet(), cutter.field(), cutter.rest()),
            (0, &b""[..], &b""[..])
        );
    }
}
