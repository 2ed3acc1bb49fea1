//! Values that are parsed from text accept every kind of text.
use std::error::Error;
use std::fmt::Display;
use std::str::FromStr;

use smtplib::message::{AddressList, Date, MediaType};
use smtplib::protocol::Parameter;
use smtplib::{Address, Config, Mailbox, Reply};

/// The value of a text, by each way to convert it. The error for a wrong text works with `?`.
fn read<T>(text: &str, none: &str) -> String
where
    T: Display + FromStr,
    T: for<'t> TryFrom<&'t str> + for<'t> TryFrom<&'t String> + TryFrom<String>,
    <T as FromStr>::Err: Error + Send + Sync + 'static,
{
    let owned = text.to_owned();
    let parsed = text.parse::<T>().ok().unwrap().to_string();
    let ways = [
        T::try_from(text).ok(),
        T::try_from(&owned).ok(),
        T::try_from(owned).ok(),
    ];
    for value in ways {
        assert_eq!(value.unwrap().to_string(), parsed);
    }
    let refused = none.parse::<T>().map(drop);
    let error: Box<dyn Error + Send + Sync> = refused.err().unwrap().into();
    assert!(!error.to_string().is_empty());
    parsed
}

#[test]
fn every_kind_of_text_is_read() {
    let bob = "bob@example.org";
    assert_eq!(read::<Address>(bob, "bob"), bob);
    assert_eq!(
        read::<AddressList>("a@x.example,b@x.example", "a"),
        "a@x.example, b@x.example"
    );
    assert_eq!(
        read::<Config>("smtp://mx.example.org", "http://mx"),
        "smtp://mx.example.org"
    );
    let date = "Tue, 14 Nov 2023 23:13:20 +0100";
    assert_eq!(read::<Date>(date, "yesterday"), date);
    let mailbox = "Bob <bob@example.org>";
    assert_eq!(read::<Mailbox>(mailbox, "Bob"), mailbox);
    assert_eq!(read::<MediaType>("text/CSV", "text"), "text/csv");
    assert_eq!(read::<Parameter>("ret=HDRS", "ret=\r\n"), "RET=HDRS");
    assert_eq!(read::<Reply>("250-a\n250 b", "25"), "250 a / b");
}
