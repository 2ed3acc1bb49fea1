//! Unfolding: header values from other messages may have several lines.

use std::borrow::Cow;

/// The value without line ends that are followed by a space or tab, and without spaces, tabs and
/// line ends around it (RFC 5322, 2.2.3).
///
/// A line end that is not followed by a space or tab stays, because it is not folding. The caller
/// must refuse it.
pub(crate) fn unfolded(value: &str) -> Cow<'_, str> {
    let value = value.trim_matches([' ', '\t', '\r', '\n']);
    if !value.contains(['\r', '\n']) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find(['\r', '\n']) {
        let (before, end) = rest.split_at(at);
        text.push_str(before);
        let after = end.strip_prefix("\r\n").or_else(|| end.strip_prefix('\n'));
        match after {
            Some(after) if after.starts_with([' ', '\t']) => rest = after,
            _ => {
                let (line_end, after) = end.split_at(1);
                text.push_str(line_end);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B1, B13.
    #[test]
    fn only_folding_is_taken_away() {
        for (value, text) in [
            ("a b", "a b"),
            (" a\r\n b\n\tc\r\n", "a b\tc"),
            ("a\r\nb", "a\r\nb"),
            ("a\r b", "a\r b"),
            ("a\r\n\r\n b", "a\r\n b"),
            ("", ""),
        ] {
            assert_eq!(unfolded(value), text, "{value:?}");
        }
    }
}
