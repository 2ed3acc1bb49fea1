//! [`Offers`]: the extensions of a place.

use crate::capabilities::Capabilities;
use crate::reply::{Code, Reply};

/// The extensions that a place offers in its reply to EHLO.
#[derive(Clone, Debug)]
pub(crate) struct Offers {
    /// The whole reply.
    answer: Vec<u8>,
    capabilities: Capabilities,
}

impl Offers {
    /// Offers these keywords, with parameters as in `SIZE 1000`.
    pub(crate) fn new<T: AsRef<str>>(keywords: impl IntoIterator<Item = T>) -> Self {
        let mut lines = vec![SERVER.to_owned()];
        let keywords = keywords.into_iter();
        lines.extend(keywords.map(|line| line.as_ref().replace(char::is_control, " ")));
        let last = lines.len() - 1;
        let mut answer = String::new();
        for (at, line) in lines.iter().enumerate() {
            let mark = if at < last { '-' } else { ' ' };
            answer.push_str(&format!("250{mark}{line}\r\n"));
        }
        let answer = answer.into_bytes();
        Self {
            capabilities: capabilities(&answer),
            answer,
        }
    }

    /// The reply to EHLO.
    pub(crate) fn answer(&self) -> &[u8] {
        &self.answer
    }

    pub(crate) fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
}

/// The name of the place in its greeting.
pub(crate) const SERVER: &str = "localhost";

/// The offers as the client will read them.
fn capabilities(answer: &[u8]) -> Capabilities {
    let Some(code) = Code::parse(*b"250") else {
        return Capabilities::default();
    };
    Capabilities::from_ehlo(&Reply::from_checked(code, answer.into()), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_what_is_offered() {
        let offers = Offers::new(["8BITMIME", "size 1000", "X\r\nAUTH PLAIN"]);
        assert_eq!(
            String::from_utf8_lossy(offers.answer()),
            "250-localhost\r\n250-8BITMIME\r\n250-size 1000\r\n250 X  AUTH PLAIN\r\n"
        );
        let capabilities = offers.capabilities();
        assert!(capabilities.has("8bitmime") && !capabilities.has("AUTH"));
        assert_eq!(capabilities.size_limit(), Some(1000));
        let none: [&str; 0] = [];
        assert_eq!(Offers::new(none).answer(), b"250 localhost\r\n");
    }
}
