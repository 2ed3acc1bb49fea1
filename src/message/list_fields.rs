//! The header fields of mailing lists and notifications (RFC 2369, RFC 2919, RFC 8058, RFC 8098).

use crate::message::address_list::AddressList;
use crate::message::builder::MessageBuilder;
use crate::message::error::{MessageError, MessageProblem, check_controls};
use crate::message::field::Field;
use crate::message::into_address_list::IntoAddressList;
use crate::message::into_texts::IntoTexts;

impl MessageBuilder {
    /// Sets the addresses for leaving the list (RFC 2369, 3.2): `https://…`, `mailto:…`, or both; by
    /// default there are none.
    ///
    /// If `one_click` is true, mail programs show a button, and send a POST to the first `https://`
    /// address (RFC 8058). Large mailbox providers require this for bulk mail. Sign both header
    /// fields with DKIM.
    ///
    /// ```
    /// use smtplib::Message;
    ///
    /// let message = Message::builder()
    ///     .from("news@example.com")
    ///     .list_unsubscribe("https://example.com/u/2f1c", true)
    ///     .build()?;
    /// let text = String::from_utf8(message.to_bytes()?)?;
    /// assert!(text.contains("\r\nList-Unsubscribe: <https://example.com/u/2f1c>\r\n"));
    /// assert!(text.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn list_unsubscribe<T, K>(mut self, urls: T, one_click: bool) -> Self
    where
        T: IntoTexts<K>,
    {
        const NAME: &str = "List-Unsubscribe";
        const POST: &str = "List-Unsubscribe-Post";
        let value = self.error.keep(NAME, addresses(urls)).unwrap_or_default();
        let has_https = value
            .split('<')
            .any(|url| url.to_ascii_lowercase().starts_with("https://"));
        if one_click && !has_https {
            self.error
                .keep::<(), _>(NAME, Err(MessageProblem::OneClick));
        }
        self.set_field(NAME, &value);
        self.head.remove(POST);
        if one_click {
            self.set_field(POST, "List-Unsubscribe=One-Click");
        }
        self
    }

    /// Sets the name of the list and its id, such as `news.example.com` (RFC 2919); by default there
    /// is none.
    pub fn list_id(mut self, name: &str, id: &str) -> Self {
        const NAME: &str = "List-Id";
        let id = id.trim_matches(['<', '>', ' ']);
        self.replace(NAME, Field::named(NAME, name, &format!("<{id}>")));
        self
    }

    /// Sets the addresses for help about the list (RFC 2369, 3.1); by default there are none.
    ///
    /// Give one address or several, each with its scheme:
    ///
    /// ```
    /// use smtplib::Message;
    ///
    /// let message = Message::builder()
    ///     .from("team@example.com")
    ///     .list_help(["https://example.com/help", "mailto:help@example.com"])
    ///     .list_subscribe("https://example.com/join")
    ///     .list_post("mailto:team@example.com")
    ///     .list_owner("mailto:ann@example.com")
    ///     .list_archive("https://example.com/archive")
    ///     .build()?;
    /// # Ok::<(), smtplib::error::MessageError>(())
    /// ```
    pub fn list_help<T, K>(self, urls: T) -> Self
    where
        T: IntoTexts<K>,
    {
        self.list_field("List-Help", urls)
    }

    /// Sets the addresses for joining the list (RFC 2369, 3.3); by default there are none.
    ///
    /// [`list_help`](Self::list_help) has an example.
    pub fn list_subscribe<T, K>(self, urls: T) -> Self
    where
        T: IntoTexts<K>,
    {
        self.list_field("List-Subscribe", urls)
    }

    /// Sets the addresses for messages to the list (RFC 2369, 3.4); by default there are none.
    ///
    /// [`list_help`](Self::list_help) has an example.
    pub fn list_post<T, K>(self, urls: T) -> Self
    where
        T: IntoTexts<K>,
    {
        self.list_field("List-Post", urls)
    }

    /// Sets the addresses of the person who looks after the list (RFC 2369, 3.5); by default there
    /// are none.
    ///
    /// [`list_help`](Self::list_help) has an example.
    pub fn list_owner<T, K>(self, urls: T) -> Self
    where
        T: IntoTexts<K>,
    {
        self.list_field("List-Owner", urls)
    }

    /// Sets the addresses of the list's archives (RFC 2369, 3.6); by default there are none.
    ///
    /// [`list_help`](Self::list_help) has an example.
    pub fn list_archive<T, K>(self, urls: T) -> Self
    where
        T: IntoTexts<K>,
    {
        self.list_field("List-Archive", urls)
    }

    /// Asks mail programs to report to these mailboxes when the message is displayed (RFC 8098, 2.1);
    /// by default nothing is asked.
    ///
    /// Many programs ask the reader first, or do nothing.
    pub fn disposition_notification_to<T, K>(mut self, mailboxes: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        const NAME: &str = "Disposition-Notification-To";
        let mut list = AddressList::new();
        self.error.add(NAME, &mut list, mailboxes);
        self.head.remove(NAME);
        self.head.others.push(Field::mailboxes(NAME, list));
        self
    }

    fn list_field<T, K>(mut self, name: &'static str, urls: T) -> Self
    where
        T: IntoTexts<K>,
    {
        if let Some(value) = self.error.keep(name, addresses(urls)) {
            self.set_field(name, &value);
        }
        self
    }

    /// Sets a field that occurs once.
    fn set_field(&mut self, name: &'static str, value: &str) {
        self.replace(name, Field::new(name, value));
    }

    /// Puts a field in the place of those with the same name.
    fn replace(&mut self, name: &'static str, field: Result<Field, MessageError>) {
        self.head.remove(name);
        match field {
            Ok(field) => self.head.others.push(field),
            Err(error) => self.error.push(error),
        }
    }
}

/// Writes web addresses in brackets, with commas between them (RFC 2369, 2).
fn addresses<K>(urls: impl IntoTexts<K>) -> Result<String, MessageProblem> {
    let mut value = String::new();
    urls.each(&mut |url| {
        let url = url.trim_matches(' ');
        let url = url
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(url);
        check_controls(url)?;
        if !url.is_ascii() {
            return Err(MessageProblem::NotAscii);
        }
        let is_url = url.contains(':') && !url.contains(['<', '>', ' ', '\t', ',']);
        if !is_url {
            return Err(MessageProblem::Url);
        }
        value += if value.is_empty() { "<" } else { ", <" };
        value += url;
        value += ">";
        Ok(())
    })?;
    if value.is_empty() {
        return Err(MessageProblem::Url);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use crate::message::Message;
    use crate::message::builder::MessageBuilder;

    fn head(builder: MessageBuilder) -> String {
        let message = builder.from("a@example.org").build().unwrap();
        let text = String::from_utf8(message.to_bytes().unwrap()).unwrap();
        let (_, fields) = text.split_once("example.org>\r\n").unwrap();
        fields.split_once("MIME-Version").unwrap().0.to_owned()
    }

    fn refused(builder: MessageBuilder) -> String {
        let error = builder.from("a@example.org").build().unwrap_err();
        error.to_string()
    }

    /// B14.
    #[test]
    fn fields_of_lists_are_written_as_their_standards_say() {
        let builder = Message::builder()
            .list_id("Zoë's list", "l.x.example")
            .list_unsubscribe("mailto:old@x.example", false)
            .list_unsubscribe(["<https://x.example/u>", "mailto:leave@x.example"], true)
            .list_help(vec!["https://x.example/help".to_owned()])
            .list_subscribe("https://x.example/old")
            .list_subscribe(["https://x.example/join", "mailto:join@x.example"])
            .list_post("mailto:l@x.example")
            .disposition_notification_to("Zoë <z@x.example>");
        assert_eq!(
            head(builder),
            "List-Id: =?utf-8?q?Zo=C3=AB=27s_list?= <l.x.example>\r\n\
             List-Unsubscribe: <https://x.example/u>, <mailto:leave@x.example>\r\n\
             List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
             List-Help: <https://x.example/help>\r\n\
             List-Subscribe: <https://x.example/join>, <mailto:join@x.example>\r\n\
             List-Post: <mailto:l@x.example>\r\n\
             Disposition-Notification-To: =?utf-8?q?Zo=C3=AB?= <z@x.example>\r\n"
        );
        let plain = Message::builder().list_id("", "l.x.example");
        assert_eq!(head(plain), "List-Id: <l.x.example>\r\n");
        let quoted = Message::builder().list_id("Ann, <Bob>", "l.x.example");
        assert_eq!(head(quoted), "List-Id: \"Ann, <Bob>\" <l.x.example>\r\n");
    }

    /// B14, 5322-11: the name arrives as it was given, whatever characters it has.
    #[test]
    fn the_name_of_a_list_is_quoted_or_encoded() {
        for (name, written) in [
            ("Acme Inc. News", "\"Acme Inc. News\""),
            ("Ann \"A\" \\", "\"Ann \\\"A\\\" \\\\\""),
            ("Zoë \"Z\" news", "=?utf-8?q?Zo=C3=AB_=22Z=22_news?="),
            ("\"Zoë\"", "=?utf-8?b?Ilpvw6si?="),
            ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?="),
        ] {
            let builder = Message::builder().list_id(name, "<l.x.example>");
            assert_eq!(
                head(builder),
                format!("List-Id: {written} <l.x.example>\r\n")
            );
        }
    }

    /// B14.
    #[test]
    fn the_id_of_a_list_is_one_word() {
        for name in ["", "Ann", "Zoë"] {
            for id in ["l x.example", "l\tx.example"] {
                let builder = Message::builder().list_id(name, id);
                assert_eq!(
                    refused(builder),
                    "List-Id: give an id of visible ASCII characters, such as logo@example.org"
                );
            }
            let builder = Message::builder().list_id(name, "zoë.x.example");
            assert!(refused(builder).starts_with("List-Id: this header holds ASCII only"));
            let builder = Message::builder().list_id(name, "l\r\nBcc: eve@x.example");
            assert!(refused(builder).starts_with("List-Id: the character '\\r'"));
        }
    }

    /// B14.
    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        let url = "give an address such as https://example.org/leave or mailto:leave@example.org, with %20 for a space and %2C for a comma";
        let of = |urls: &str| refused(Message::builder().list_unsubscribe(urls, false));
        for bad in [
            "",
            "leave",
            "https://x.example/a b",
            "https://x.example/>, <b",
        ] {
            assert_eq!(of(bad), format!("List-Unsubscribe: {url}"), "{bad}");
        }
        assert_eq!(
            of("https://x.example/\r\nBcc: eve@x.example"),
            "List-Unsubscribe: the character '\\r' cannot stand in a header, leave it out"
        );
        let one_click = Message::builder().list_unsubscribe("mailto:leave@x.example", true);
        assert_eq!(
            refused(one_click),
            "List-Unsubscribe: one click needs an address that begins with https:// (RFC 8058)"
        );
        let subscribe = Message::builder().list_subscribe("join");
        assert_eq!(refused(subscribe), format!("List-Subscribe: {url}"));
        let none = Message::builder().list_unsubscribe([""; 0], false);
        assert_eq!(refused(none), format!("List-Unsubscribe: {url}"));
    }
}
