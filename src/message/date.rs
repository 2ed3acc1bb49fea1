//! [`Date`]: a moment in a header.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::message::error::MessageProblem;

const SECONDS_PER_DAY: i64 = 86_400;
/// RFC 5322, 3.3: the year is 1900 or later. After 9999, readers fail.
const YEARS: RangeInclusive<i64> = 1900..=9999;
/// The bytes of `Thu, 01 Jan 1970 00:00:00 +0000`.
const LENGTH: usize = 31;
const MINUTES_PER_DAY: u16 = 1_440;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
pub(crate) const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A moment, to the second, with an offset from UTC (RFC 5322, 3.3).
///
/// A [`SystemTime`] becomes a date in UTC, `+0000`. The standard library does not know the local
/// offset; set it with [`offset`](Self::offset).
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use smtplib::message::Date;
///
/// let moment = UNIX_EPOCH + Duration::from_secs(784_111_777);
/// assert_eq!(Date::from(moment).to_string(), "Sun, 06 Nov 1994 08:49:37 +0000");
/// assert_eq!(Date::from(moment).offset(-210)?.to_string(), "Sun, 06 Nov 1994 05:19:37 -0330");
///
/// let read: Date = "Sun, 06 Nov 1994 05:19:37 -0330".parse()?;
/// assert_eq!(read, Date::from_unix(784_111_777, -210)?);
/// # Ok::<(), smtplib::error::MessageProblem>(())
/// ```
///
/// Dates are ordered by their moments. Of the same moment, the one further west comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// Since 1970 in UTC.
    seconds: i64,
    offset_minutes: i16,
}

impl Date {
    /// Returns this moment, in UTC.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Makes a date from the seconds since 1970 in UTC and an offset in minutes east of UTC.
    ///
    /// # Errors
    ///
    /// [`MessageProblem::Date`] if the year is outside 1900 to 9999 or the offset is a day or more.
    pub fn from_unix(seconds: i64, offset_minutes: i16) -> Result<Self, MessageProblem> {
        let date = Self {
            seconds,
            offset_minutes,
        };
        date.check()
    }

    /// Returns the same moment with an offset in minutes east of UTC: 330 is `+0530`.
    ///
    /// # Errors
    ///
    /// As [`from_unix`](Self::from_unix).
    pub fn offset(self, minutes: i16) -> Result<Self, MessageProblem> {
        Self::from_unix(self.seconds, minutes)
    }

    /// Returns the seconds since 1970 in UTC.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the offset in minutes east of UTC.
    #[must_use]
    pub fn offset_minutes(self) -> i16 {
        self.offset_minutes
    }

    /// Whether the date can be written in a header.
    pub(crate) fn check(self) -> Result<Self, MessageProblem> {
        let (year, ..) = civil(self.local_seconds().div_euclid(SECONDS_PER_DAY));
        if YEARS.contains(&year) && self.offset_minutes.unsigned_abs() < MINUTES_PER_DAY {
            Ok(self)
        } else {
            Err(MessageProblem::Date)
        }
    }

    /// Appends the date in the form of a header.
    pub(crate) fn append_to(self, out: &mut Vec<u8>) {
        let local = self.local_seconds();
        let days = local.div_euclid(SECONDS_PER_DAY);
        let second = local.rem_euclid(SECONDS_PER_DAY);
        let offset = i64::from(self.offset_minutes.unsigned_abs());
        let (year, month, day) = civil(days);
        let mut add = |before: &[&str], number: i64| {
            for text in before {
                out.extend_from_slice(text.as_bytes());
            }
            out.extend_from_slice(&two_digits(number));
        };
        let sign = if self.offset_minutes < 0 { " -" } else { " +" };
        add(&[name(&WEEKDAYS, days.rem_euclid(7)), ", "], day);
        add(&[" ", name(&MONTHS, month - 1), " "], year / 100);
        add(&[], year % 100);
        add(&[" "], second / 3_600);
        add(&[":"], second / 60 % 60);
        add(&[":"], second % 60);
        add(&[sign], offset / 60);
        add(&[], offset % 60);
    }

    /// The moment in UTC in the form of RFC 3339, if its year can be written.
    pub(crate) fn utc_rfc3339(self) -> Option<String> {
        let utc = self.offset(0).and_then(Self::check).ok()?;
        let (year, month, day) = civil(utc.seconds.div_euclid(SECONDS_PER_DAY));
        let second = utc.seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        Some(format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        ))
    }

    fn local_seconds(self) -> i64 {
        self.seconds
            .saturating_add(i64::from(self.offset_minutes) * 60)
    }
}

impl From<SystemTime> for Date {
    fn from(time: SystemTime) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(error) => whole_seconds_before(error.duration()),
        };
        Self {
            seconds,
            offset_minutes: 0,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(LENGTH);
        self.append_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// The two digits of a number below 100. Every message has a date, and `{:02}` takes several times
/// as long.
fn two_digits(number: i64) -> [u8; 2] {
    let number = u8::try_from(number).unwrap_or(0);
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

/// Seconds since 1970 of a moment before it, rounded down like those after it.
fn whole_seconds_before(duration: Duration) -> i64 {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    -seconds - i64::from(duration.subsec_nanos() > 0)
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index).copied())
        .unwrap_or_default()
}

/// Year, month and day of a number of days since 1970, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the extra day of a leap year is the last of its year. Then
/// 400 years, 100 years, 4 years and the months each have a fixed length, except the last of them.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_400_YEARS: i64 = 146_097;
    const DAYS_FROM_0000_03_01_TO_1970: i64 = 719_468;

    let days = days.saturating_add(DAYS_FROM_0000_03_01_TO_1970);
    let cycle = days.div_euclid(DAYS_PER_400_YEARS);
    let day_of_cycle = days.rem_euclid(DAYS_PER_400_YEARS);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // From March on, the months have 31, 30, 31, 30, 31 days, and then the same again: 153 days in
    // five months.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = 400 * cycle + year_of_cycle + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Date {
        Date {
            seconds,
            offset_minutes: 0,
        }
    }

    /// 5322-14, 5322-36.
    #[test]
    fn dates_are_written_as_the_grammar_says() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 +0000"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 +0000"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000"),
            (-2_208_988_800, "Mon, 01 Jan 1900 00:00:00 +0000"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(at(seconds).to_string(), text);
            assert!(at(seconds).check().is_ok());
        }
    }

    #[test]
    fn every_day_of_five_centuries_follows_the_day_before() {
        let (mut year, mut month, mut day) = (1900, 1, 1);
        for days in -25_567..(-25_567 + 182_622) {
            assert_eq!(civil(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!(year, 2400);
    }

    /// 5322-15.
    #[test]
    fn an_offset_moves_the_clock_not_the_moment() {
        assert_eq!(
            at(0).offset(330).unwrap().to_string(),
            "Thu, 01 Jan 1970 05:30:00 +0530"
        );
        assert_eq!(
            at(0).offset(-1).unwrap().to_string(),
            "Wed, 31 Dec 1969 23:59:00 -0001"
        );
    }

    #[test]
    fn what_no_reader_understands_is_refused() {
        for date in [
            at(-2_208_988_801),
            at(253_402_300_800),
            at(i64::MIN),
            at(i64::MAX),
        ] {
            assert!(date.check().is_err(), "{date:?}");
            assert!(!date.to_string().is_empty());
        }
    }

    /// B16: an error at construction, not when the message is built.
    #[test]
    fn an_offset_of_a_day_is_no_offset() {
        for minutes in [1_440, -1_440, 30_000, i16::MIN] {
            let sentence = "give a year from 1900 to 9999 and an offset of less than a day";
            assert_eq!(at(0).offset(minutes).unwrap_err().to_string(), sentence);
            assert!(Date::from_unix(0, minutes).is_err());
        }
        assert_eq!(
            at(0).offset(1_439).unwrap().to_string(),
            "Thu, 01 Jan 1970 23:59:00 +2359"
        );
        assert!(
            Date::from_unix(-2_208_988_800, -1).is_err(),
            "in 1899 there"
        );
        assert!(Date::from_unix(i64::MAX, 0).is_err());
        assert_eq!(Date::from_unix(5, 60).unwrap().unix_seconds(), 5);
        assert_eq!(Date::from_unix(5, 60).unwrap().offset_minutes(), 60);
    }

    /// B16.
    #[test]
    fn dates_are_in_the_order_of_their_moments() {
        let east = Date::from_unix(100, 600).unwrap();
        let west = Date::from_unix(101, -600).unwrap();
        assert!(east < west && west < at(102));
        assert!(Date::from_unix(100, -600).unwrap() < east);
    }

    #[test]
    fn a_moment_before_1970_is_rounded_down() {
        let moment = UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(Date::from(moment), at(-2));
    }
}
