//! `format=flowed`: paragraphs that a mail program may wrap to its own width (RFC 3676).

/// The width at which a paragraph is wrapped (RFC 3676, 4.2), in characters, with the space at the
/// end.
const WIDTH: usize = 72;

/// Wraps each line of a text as a paragraph, and marks where the reader may join it again.
///
/// A line that begins with `>` is a quotation. It is not changed, and neither is the `-- ` before a
/// signature.
pub(crate) fn flow(text: &str) -> String {
    let mut flowed = String::with_capacity(text.len() + text.len() / 32);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            flowed.push('\n');
        }
        match line {
            "-- " => flowed.push_str(line),
            quoted if quoted.starts_with('>') => flowed.push_str(quoted.trim_end_matches(' ')),
            paragraph => wrap(paragraph.trim_end_matches(' '), &mut flowed),
        }
    }
    flowed
}

fn wrap(paragraph: &str, flowed: &mut String) {
    let mut line = flowed.len();
    let mut width = stuff(paragraph, flowed);
    let mut words = paragraph.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        flowed.push_str(word);
        width += word.chars().count();
        // Only a line that ends in a space flows. Several spaces in a row stay on one line, and a
        // signature would begin after `-- ` (RFC 3676, 4.3).
        let is_separator = flowed.get(line..) == Some("-- ");
        let flows = !is_separator
            && words.peek().is_some_and(|next| {
                *next != " " && width + next.trim_end_matches(' ').chars().count() > WIDTH
            });
        if flows {
            flowed.push('\n');
            line = flowed.len();
            width = words.peek().map_or(0, |next| stuff(next, flowed));
        }
    }
}

/// Puts a space before text that a line must not begin with (RFC 3676, 4.4). Readers remove it.
fn stuff(line: &str, flowed: &mut String) -> usize {
    let stuffed = [" ", ">", "From "]
        .iter()
        .any(|taken| line.starts_with(taken))
        || line == "From";
    if stuffed {
        flowed.push(' ');
    }
    usize::from(stuffed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3676-01, 3676-02.
    #[test]
    fn paragraphs_flow_and_other_lines_stay() {
        let sentence = "Every good boy does fine. ".repeat(5);
        assert_eq!(
            flow(&format!("{sentence}\nnext\n")),
            "Every good boy does fine. Every good boy does fine. Every good boy does \n\
             fine. Every good boy does fine. Every good boy does fine.\nnext\n"
        );
        // `-- ` alone on a line would begin a signature.
        let word = "x".repeat(70);
        let unbroken = format!("-- {word}");
        let broken = format!("{word} \n-- {word} \n-- {word}");
        for (text, flowed) in [
            (&*unbroken, &*unbroken),
            (&broken.replace('\n', ""), &broken),
            ("short  \n", "short\n"),
            ("-- \nme", "-- \nme"),
            ("> quoted\n", "> quoted\n"),
            (" indented", "  indented"),
            ("From here", " From here"),
            ("", ""),
        ] {
            assert_eq!(flow(text), flowed, "{text:?}");
        }
    }

    /// Joining by the rules of RFC 3676, 4.1 gives the paragraph back.
    #[test]
    fn a_reader_can_join_what_was_wrapped() {
        let words = ["From ", "> ", "a ", "averylongword ", "é ", "-- "];
        let mut text = String::new();
        for number in 0..500_usize {
            text += words[number * number % 11 % words.len()];
        }
        let long = "x".repeat(80);
        let text = format!("x {text}{long} -- {long} -- -- {long} -- end");
        let flowed = flow(&text);
        assert!(flowed.split('\n').all(|line| line != "-- "), "{flowed}");
        let joined: String = flowed
            .split('\n')
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        assert_eq!(joined, text);
    }
}
