//! Reading dates in the forms that headers have (RFC 5322, 3.3 and 4.3).

use std::str::FromStr;

use crate::address::try_from_text;
use crate::message::date::{Date, MONTHS};
use crate::message::error::MessageProblem;

const SECONDS_PER_DAY: i64 = 86_400;
/// The named zones with only one meaning, in hours (RFC 5322, 4.3).
const ZONES: [(&str, i16); 12] = [
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EDT", -4),
    ("EST", -5),
    ("CDT", -5),
    ("CST", -6),
    ("MDT", -6),
    ("MST", -7),
    ("PDT", -7),
    ("PST", -8),
];

impl FromStr for Date {
    type Err = MessageProblem;

    /// Reads a date of RFC 5322, including old forms: years of two digits, named zones, and
    /// comments.
    ///
    /// The weekday is not compared with the date.
    ///
    /// # Errors
    ///
    /// [`MessageProblem::NoDate`] if the text is not a date, [`MessageProblem::Date`] if the
    /// year is outside 1900 to 9999 or the offset is a day or more.
    fn from_str(text: &str) -> Result<Self, MessageProblem> {
        let text = without_comments(text).ok_or(MessageProblem::NoDate)?;
        let (seconds, offset) = read(&text).ok_or(MessageProblem::NoDate)?;
        Self::from_unix(seconds, offset)
    }
}

try_from_text!(Date, MessageProblem);

/// The seconds since 1970, and the offset in minutes.
fn read(text: &str) -> Option<(i64, i16)> {
    let text = match text.split_once(',') {
        Some((_weekday, rest)) => rest,
        None => text,
    };
    let mut words = text.split_ascii_whitespace();
    let day = number(words.next()?, 1..=2)?;
    let month = month(words.next()?)?;
    let year = year(words.next()?)?;
    let time = time(words.next()?)?;
    let offset = zone(words.next().unwrap_or("Z"))?;
    if words.next().is_some() || day < 1 || day > days_in(year, month) {
        return None;
    }
    let local = days(year, month, day) * SECONDS_PER_DAY + time;
    Some((local - i64::from(offset) * 60, offset))
}

fn without_comments(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    (depth == 0).then_some(out)
}

/// Reads a number whose count of digits is in `lengths`.
fn number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_number = lengths.contains(&text.len()) && text.bytes().all(|o| o.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The number of a month, from 1.
fn month(text: &str) -> Option<i64> {
    let at = MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))?;
    i64::try_from(at + 1).ok()
}

/// RFC 5322, 4.3: two digits mean a year from 1950 to 2049, and three digits count from 1900.
fn year(text: &str) -> Option<i64> {
    let year = number(text, 2..=4)?;
    Some(match text.len() {
        2 if year < 50 => year + 2000,
        2 | 3 => year + 1900,
        _ => year,
    })
}

/// Seconds since midnight. A leap second is the first of the next minute.
fn time(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?, 1..=2).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?, 2..=2).filter(|minute| *minute < 60)?;
    let second = match parts.next() {
        Some(second) => number(second, 2..=2).filter(|second| *second <= 60)?,
        None => 0,
    };
    parts
        .next()
        .is_none()
        .then_some((hour * 60 + minute) * 60 + second)
}

/// Minutes east of UTC. A zone whose name has several meanings is unknown, which is `-0000` (RFC
/// 5322, 4.3).
fn zone(text: &str) -> Option<i16> {
    let Some(digits) = text.strip_prefix(['+', '-']) else {
        let named = ZONES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        let is_name = !text.is_empty() && text.bytes().all(|o| o.is_ascii_alphabetic());
        return is_name.then(|| named.map_or(0, |(_, hours)| hours * 60));
    };
    let number = i16::try_from(number(digits, 4..=4)?).ok()?;
    let minutes = (number % 100 < 60).then_some(number / 100 * 60 + number % 100)?;
    Some(if text.starts_with('-') {
        -minutes
    } else {
        minutes
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a day in the proleptic Gregorian calendar. Years are counted from March, so
/// that the extra day of a leap year is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_FROM_0000_03_01_TO_1970: i64 = 719_468;
    let year = year - i64::from(month <= 2);
    let month_from_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (153 * month_from_march + 2) / 5;
    365 * year + leap_days + before_month + day - 1 - DAYS_FROM_0000_03_01_TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B16.
    #[test]
    fn dates_are_read_as_they_are_written() {
        for seconds in (-2_208_988_800..253_402_300_799_i64).step_by(86_400 * 97 + 12_345) {
            for offset in [-720, -1, 0, 330] {
                let Ok(date) = Date::from_unix(seconds, offset) else {
                    continue;
                };
                assert_eq!(date.to_string().parse::<Date>().unwrap(), date);
            }
        }
    }

    /// B16: RFC 5322, 4.3.
    #[test]
    fn older_forms_are_read_too() {
        for (text, meant) in [
            (
                "Tue, 14 Nov 2023 23:13:20 +0100",
                "Tue, 14 Nov 2023 23:13:20 +0100",
            ),
            ("14 nov 2023 23:13 -0530", "Tue, 14 Nov 2023 23:13:00 -0530"),
            (
                "Fri, 21 Nov 97 09:55:06 EST",
                "Fri, 21 Nov 1997 09:55:06 -0500",
            ),
            ("1 Jan 49 0:00:00 GMT", "Fri, 01 Jan 2049 00:00:00 +0000"),
            ("1 Jan 100 00:00:00 ut", "Sat, 01 Jan 2000 00:00:00 +0000"),
            (
                "Thu,\r\n 13 Feb 1969 23:32 -0330 (Newfoundland (NST))",
                "Thu, 13 Feb 1969 23:32:00 -0330",
            ),
            ("1 Jan 2024 00:00:00 XYZ", "Mon, 01 Jan 2024 00:00:00 +0000"),
            ("1 Jan 2024 00:00:00", "Mon, 01 Jan 2024 00:00:00 +0000"),
            (
                "31 Dec 2016 23:59:60 -0000",
                "Sun, 01 Jan 2017 00:00:00 +0000",
            ),
            ("29 Feb 2000 12:00 +0000", "Tue, 29 Feb 2000 12:00:00 +0000"),
        ] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), meant, "{text}");
        }
    }

    /// B16.
    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "2023-11-14T23:13:20Z",
            "30 Feb 2024 00:00:00 +0000",
            "29 Feb 1900 00:00:00 +0000",
            "0 Jan 2024 00:00:00 +0000",
            "1 Foo 2024 00:00:00 +0000",
            "1 Jan 20240 00:00:00 +0000",
            "1 Jan 2024 24:00:00 +0000",
            "1 Jan 2024 00:60:00 +0000",
            "1 Jan 2024 00:00:00 +0160",
            "1 Jan 2024 00:00:00 +100",
            "1 Jan 2024 00:00:00 +0000 x",
            "1 Jan 2024 00:00:00 +0000 (x",
            "1 Jan 2024 00:00:00:00 +0000",
            "-1 Jan 2024 00:00:00 +0000",
            "1 Jan 2024 00:00:00 é",
        ] {
            let sentence = "give a date such as Tue, 14 Nov 2023 23:13:20 +0100";
            assert_eq!(
                text.parse::<Date>().unwrap_err().to_string(),
                sentence,
                "{text}"
            );
        }
        assert_eq!(
            "1 Jan 2024 00:00:00 +9900"
                .parse::<Date>()
                .unwrap_err()
                .to_string(),
            "give a year from 1900 to 9999 and an offset of less than a day"
        );
    }
}
