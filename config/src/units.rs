//! Sizes, rates, shares and durations as people write them: a number and a unit, never a bare number.
//!
//! 1 GB is 1,000,000,000 bytes, as the services count; `GiB` is accepted. Everything is parsed with integers, so
//! that `"0.1 GB"` is exact. `Display` writes text that parses back to the same value.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The text is not a value of the expected unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadUnit {
    /// What was expected, with an example.
    pub expected: &'static str,
}

impl fmt::Display for BadUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for BadUnit {}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// The units of [`ByteSize`], largest first within each family.
const SIZES: [(&str, u64); 11] = [
    ("PB", 1_000_000_000_000_000),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl ByteSize {
    const EXPECTED: BadUnit = BadUnit { expected: "a size such as \"5 GB\" or \"128 MiB\"" };

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let (number, unit) = split(text);
        let (_, factor) = SIZES
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .ok_or(Self::EXPECTED)?;
        scaled(number, factor).map(Self).ok_or(Self::EXPECTED)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = SIZES.into_iter().filter(|(_, factor)| self.0.is_multiple_of(*factor));
        let (unit, factor) = exact.max_by_key(|(_, factor)| *factor).unwrap_or(("B", 1));
        match self.0 {
            0 => f.write_str("0 B"),
            bytes => write!(f, "{} {unit}", bytes / factor),
        }
    }
}

/// Bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub ByteSize);

impl FromStr for Rate {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let expected = BadUnit { expected: "a rate such as \"2 MB/s\"" };
        let size = text.trim().strip_suffix("/s").ok_or(expected)?;
        size.parse().map(Self).map_err(|_| expected)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// A part of a whole, 0 % to 100 %, exact to a ten-thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share {
    millionths: u32,
}

impl Share {
    const EXPECTED: BadUnit = BadUnit { expected: "a share such as \"2%\"" };

    /// This share of `whole`, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        let part = u128::from(whole) * u128::from(self.millionths) / 1_000_000;
        u64::try_from(part).unwrap_or(whole)
    }
}

impl FromStr for Share {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let number = text.trim().strip_suffix('%').ok_or(Self::EXPECTED)?;
        let millionths = scaled(number.trim(), 10_000).ok_or(Self::EXPECTED)?;
        match u32::try_from(millionths) {
            Ok(millionths) if millionths <= 1_000_000 => Ok(Self { millionths }),
            _ => Err(Self::EXPECTED),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.millionths / 10_000, self.millionths % 10_000);
        match rest {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{}%", format!("{rest:04}").trim_end_matches('0')),
        }
    }
}

/// Either a number of bytes or a share of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// This many bytes.
    Bytes(ByteSize),
    /// This share of the whole.
    Share(Share),
}

impl Amount {
    /// In bytes, of a whole of `total` bytes.
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Bytes(size) => size.0,
            Self::Share(share) => share.of(total),
        }
    }
}

impl FromStr for Amount {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let expected = BadUnit { expected: "a size such as \"250 MB\" or a share such as \"5%\"" };
        let share = text.parse().map(Self::Share);
        share.or_else(|_| text.parse().map(Self::Bytes)).map_err(|_| expected)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(size) => size.fmt(f),
            Self::Share(share) => share.fmt(f),
        }
    }
}

/// The units of time. A month is 30 days and a year 365: these are waiting times, not calendar dates.
const TIMES: [(&str, &[&str], u64); 7] = [
    ("years", &["year", "y"], 365 * 86_400),
    ("months", &["month"], 30 * 86_400),
    ("weeks", &["week", "w"], 7 * 86_400),
    ("days", &["day", "d"], 86_400),
    ("hours", &["hour", "h"], 3_600),
    ("minutes", &["minute", "min", "m"], 60),
    ("seconds", &["second", "sec", "s"], 1),
];

/// Reads `"30 days"`, `"90d"`, `"2 h"`, `"1h30m"`.
pub fn parse_duration(text: &str) -> Result<Duration, BadUnit> {
    let expected = BadUnit { expected: "a duration such as \"30 days\" or \"2 h\"" };
    let mut rest = text.trim();
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let (number, tail) = split(rest);
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let unit = unit.to_ascii_lowercase();
        let (_, _, factor) = TIMES
            .into_iter()
            .find(|(name, short, _)| *name == unit || short.contains(&unit.as_str()))
            .ok_or(expected)?;
        let part = scaled(number, factor).ok_or(expected)?;
        seconds = seconds.checked_add(part).ok_or(expected)?;
        rest = tail.trim_start();
    }
    if text.trim().is_empty() { Err(expected) } else { Ok(Duration::from_secs(seconds)) }
}

/// Writes a duration so that [`parse_duration`] reads the same again; parts of a second are left out.
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    // Years and months are approximations and therefore only read; weeks are harder to compare than days.
    let exact = TIMES.iter().skip(3).find(|(.., factor)| seconds.is_multiple_of(*factor));
    match exact {
        Some((_, short, factor)) if seconds / factor == 1 => format!("1 {}", short[0]),
        Some((name, _, factor)) if seconds > 0 => format!("{} {name}", seconds / factor),
        _ => "0 seconds".to_owned(),
    }
}

/// `"5 GB"` to `("5", "GB")`.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// A decimal number times a factor; parts below one are cut off. None: no number, or too large.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let places = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    let whole: u128 = u128::from(whole.parse::<u64>().ok()?);
    let decimals: u128 = decimals.parse().ok()?;
    u64::try_from((whole * places + decimals) * u128::from(factor) / places).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_decimal_unless_they_say_otherwise() {
        let cases = [
            ("5 GB", 5_000_000_000),
            ("5gb", 5_000_000_000),
            ("1.5 MB", 1_500_000),
            ("128 MiB", 134_217_728),
            ("0 B", 0),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse::<ByteSize>(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in
            ["5", "", "GB", "-1 GB", "5 GX", "1.2.3 GB", "99999999999 PB", "1. GB", "5 GB/s"]
        {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn durations_take_words_and_letters() {
        let cases = [
            ("30 days", 2_592_000),
            ("90d", 7_776_000),
            ("2 h", 7_200),
            ("1h30m", 5_400),
            ("0 s", 0),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["30", "", "days", "3 fortnights", "-1 day", "99999999999999999999 years"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(format_duration(Duration::from_hours(180 * 24)), "180 days");
        assert_eq!(format_duration(Duration::from_hours(1)), "1 hour");
    }

    #[test]
    fn shares_stay_between_nothing_and_everything() {
        assert_eq!("2%".parse::<Share>().unwrap().of(1_000), 20);
        assert_eq!("0.5 %".parse::<Share>().unwrap().of(1_000), 5);
        assert_eq!("100%".parse::<Share>().unwrap().of(u64::MAX), u64::MAX);
        for text in ["2", "101%", "-1%", "%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_reads_back_the_same(bytes: u64, seconds in 0_u64..1 << 40, part in 0_u32..=1_000_000) {
            let size = ByteSize(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
            let share = Share { millionths: part };
            prop_assert_eq!(share.to_string().parse(), Ok(share));
        }

        #[test]
        fn no_text_makes_the_readers_panic(text: String) {
            let _ = (text.parse::<Amount>(), text.parse::<Rate>(), parse_duration(&text));
        }
    }
}
