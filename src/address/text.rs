//! [`Text`]: the text of an address, which seldom needs an allocation.

use std::sync::Arc;

/// How many bytes are kept without an allocation. Most addresses are no longer.
const SHORT: usize = 30;

/// A text that is cheap to make and to clone. A short one needs no allocation, and a long one is
/// shared.
#[derive(Clone)]
pub(super) enum Text {
    Short { length: u8, octets: [u8; SHORT] },
    Long(Arc<str>),
}

impl Text {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, octets } => {
                octets.get(..usize::from(*length)).unwrap_or_default()
            }
            Self::Long(text) => text.as_bytes(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            // These bytes come from a `str`, so they are UTF-8.
            Self::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut octets = [0; SHORT];
        match (octets.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { length, octets }
            }
            _ => Self::Long(text.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_whatever_its_length() {
        for length in 0..2 * SHORT {
            let text = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let kept = Text::from(text.as_str());
            assert_eq!((kept.as_str(), kept.as_bytes()), (&*text, text.as_bytes()));
            assert_eq!(matches!(kept, Text::Short { .. }), length <= SHORT);
            assert_eq!(kept.clone().as_str(), text);
        }
    }
}
