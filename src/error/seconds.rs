//! [`Seconds`]: a time as people read it.

use std::fmt;
use std::time::Duration;

/// A time in seconds with one decimal. Formatting a float would bring the code for all floats.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = self.0.saturating_add(Duration::from_millis(50));
        let tenths = rounded.subsec_millis() / 100;
        write!(f, "{}.{tenths}", rounded.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_rounded_to_a_tenth() {
        for (millis, shown) in [
            (0, "0.0"),
            (49, "0.0"),
            (50, "0.1"),
            (1_249, "1.2"),
            (1_960, "2.0"),
            (90_000, "90.0"),
        ] {
            assert_eq!(Seconds(Duration::from_millis(millis)).to_string(), shown);
        }
        let longest = Seconds(Duration::MAX).to_string();
        assert_eq!(longest, "18446744073709551615.9");
    }
}
