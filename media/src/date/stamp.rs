//! Dates as files write them.

use std::str::FromStr as _;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp as Instant};

use safelight_core::taken::{Source, Taken, Zone};
use safelight_core::time::Timestamp;

/// A date that was written somewhere; not yet judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// What a clock on the wall showed.
    pub wall: DateTime,
    /// Whose wall.
    pub zone: Zone,
}

/// Reads digits from the front.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn number(&mut self, len: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(len)?;
        let text =
            std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit))?;
        self.0 = rest;
        i16::from_str(text).ok()
    }

    fn pair(&mut self) -> Option<i8> {
        i8::try_from(self.number(2)?).ok()
    }

    fn skip(&mut self, any: &[u8]) -> bool {
        let [first, rest @ ..] = self.0 else { return false };
        let there = any.contains(first);
        if there {
            self.0 = rest;
        }
        there
    }

    /// Nanoseconds from the digits of a fraction.
    fn fraction(&mut self) -> i32 {
        let len = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
    }

    /// `Z`, `+02:00`, `+0200` or `-05`.
    fn zone(&mut self) -> Option<Zone> {
        if self.skip(b"Z") {
            return Some(Zone::Utc);
        }
        let west = self.0.first() == Some(&b'-');
        if !self.skip(b"+-") {
            return None;
        }
        let hours = i16::from(self.pair()?);
        self.skip(b":");
        let minutes = i16::from(self.pair().unwrap_or(0));
        let sum = hours * 60 + minutes;
        (sum <= 15 * 60 && minutes < 60).then_some(Zone::Offset(if west { -sum } else { sum }))
    }
}

impl Stamp {
    /// Reads `2024:05:12 14:03:10`, `2024-05-12T14:03:10.25+02:00` and what lies between. Blanks and zeros, which
    /// cameras write for "no date", are none; a day without a time is its midnight.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.split(|byte| *byte == 0).next()?.trim_ascii();
        let mut digits = Digits(text);
        let year = digits.number(4)?;
        digits.skip(b":-/.");
        let month = digits.pair()?;
        digits.skip(b":-/.");
        let day = digits.pair()?;
        let (mut hour, mut minute, mut second, mut nanos) = (0, 0, 0, 0);
        if digits.skip(b"T ") && !digits.0.is_empty() {
            while digits.skip(b" ") {}
            hour = digits.pair()?;
            digits.skip(b":");
            minute = digits.pair()?;
            if digits.skip(b":") {
                second = digits.pair()?;
                if digits.skip(b".,") {
                    nanos = digits.fraction();
                }
            }
            while digits.skip(b" ") {}
        }
        let zone = digits.zone().unwrap_or(Zone::Local);
        // A leap second is told as the second before it.
        let wall = DateTime::new(year, month, day, hour, minute, second.min(59), nanos).ok()?;
        Some(Self { wall, zone })
    }

    /// Reads `Mon Mar 10 15:04:43 2003`.
    pub fn parse_asctime(text: &[u8]) -> Option<Self> {
        const MONTHS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let text =
            String::from_utf8_lossy(text.split(|byte| *byte == 0).next()?).to_ascii_lowercase();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [_, month, day, time, year, ..] = words.as_slice() else { return None };
        let month = MONTHS.iter().position(|name| month.starts_with(name))? + 1;
        Self::parse(format!("{year}-{month:02}-{day:0>2} {time}").as_bytes())
    }

    /// EXIF's three texts as one date.
    pub fn of(written: &crate::contents::Written) -> Option<Self> {
        let stamp = Self::parse(written.text.as_ref()?.as_bytes())?;
        let mut wall = stamp.wall;
        if let Some(fraction) = &written.fraction {
            let nanos = Digits(fraction.trim().as_bytes()).fraction();
            wall = wall.with().subsec_nanosecond(nanos).build().ok()?;
        }
        let zone = written.offset.as_deref().and_then(Self::parse_zone);
        Some(Self { wall, zone: zone.unwrap_or(stamp.zone) })
    }

    /// Reads a difference to UTC.
    pub fn parse_zone(text: &str) -> Option<Zone> {
        Digits(text.trim().as_bytes()).zone()
    }

    /// From seconds since 1904, as films count.
    pub fn since_1904(seconds: u64) -> Option<Self> {
        const FROM_1904_TO_1970: i64 = 2_082_844_800;
        let seconds = i64::try_from(seconds).ok()?.checked_sub(FROM_1904_TO_1970)?;
        let wall = Offset::UTC.to_datetime(Instant::from_second(seconds).ok()?);
        Some(Self { wall, zone: Zone::Utc })
    }

    /// The date, if it can be one.
    pub fn judged(self, source: Source, now: Option<Timestamp>) -> Option<Taken> {
        let nanos = Offset::UTC.to_timestamp(self.wall).ok()?.as_nanosecond();
        Taken::judged(i64::try_from(nanos).ok()?, self.zone, source, now)
    }

    /// The time of this wall clock without a known place, with the offset that a time in UTC of the same moment
    /// implies: the difference must be one that zones have, and the two clocks agree to 90 seconds.
    pub fn placed_by(self, utc: Self) -> Option<Self> {
        let apart = self.wall.duration_since(utc.wall);
        let quarter = SignedDuration::from_mins(15).as_secs();
        let quarters = (apart.as_secs() + quarter / 2).div_euclid(quarter);
        let rest = (apart - SignedDuration::from_mins(15 * quarters)).abs();
        let minutes = i16::try_from(quarters.checked_mul(15)?).ok()?;
        let sound = rest <= SignedDuration::from_secs(90) && is_zone(minutes);
        sound.then_some(Self { zone: Zone::Offset(minutes), ..self })
    }
}

/// Whether clocks somewhere differ from UTC by so many minutes.
fn is_zone(minutes: i16) -> bool {
    const ODD: [i16; 13] = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];
    ODD.contains(&minutes) || (minutes % 60 == 0 && (-720..=840).contains(&minutes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contents::Written;

    #[test]
    fn the_ways_of_writing_a_date_are_understood() {
        let cases: [(&str, &str, Zone); 8] = [
            ("2024:05:12 14:03:10", "2024-05-12T14:03:10", Zone::Local),
            ("2024-05-12T14:03:10.25+02:00", "2024-05-12T14:03:10.25", Zone::Offset(120)),
            ("2024-05-12T14:03:10-0330", "2024-05-12T14:03:10", Zone::Offset(-210)),
            ("2024-05-12T14:03Z", "2024-05-12T14:03:00", Zone::Utc),
            ("2024-05-12", "2024-05-12T00:00:00", Zone::Local),
            ("20240512T1403", "2024-05-12T14:03:00", Zone::Local),
            ("2024:05:12 14:03:60\0\0", "2024-05-12T14:03:59", Zone::Local),
            ("2024-05-12T14:03:10+99:00", "2024-05-12T14:03:10", Zone::Local),
        ];
        for (text, wall, zone) in cases {
            let stamp = Stamp::parse(text.as_bytes()).unwrap();
            assert_eq!((stamp.wall.to_string().as_str(), stamp.zone), (wall, zone), "{text}");
        }
        let old = Stamp::parse_asctime(b"MON MAR  3 15:04:43 2003\n\0").unwrap();
        assert_eq!(old.wall.to_string(), "2003-03-03T15:04:43");
    }

    #[test]
    fn what_cameras_write_for_no_date_is_none() {
        for text in
            ["", "    :  :     :  :  ", "0000:00:00 00:00:00", "2024:13:01 00:00:00", "2024"]
        {
            assert_eq!(Stamp::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_satellites_time_tells_the_offset_if_the_clock_was_right() {
        let local = |text: &str| Stamp::parse(text.as_bytes()).unwrap();
        let utc = local("2024:05:12 12:03:00Z");
        let offset = |text| local(text).placed_by(utc).map(|stamp| stamp.zone);
        assert_eq!(offset("2024:05:12 14:03:40"), Some(Zone::Offset(120)));
        assert_eq!(offset("2024:05:12 17:48:00"), Some(Zone::Offset(345)));
        assert_eq!(offset("2024:05:12 08:02:10"), Some(Zone::Offset(-240)));
        assert_eq!(offset("2024:05:12 14:18:00"), None, "no zone is two and a quarter hours ahead");
        assert_eq!(offset("2024:05:12 14:06:00"), None, "one of the clocks was wrong");
        assert_eq!(offset("2024:05:14 14:03:00"), None);
    }

    #[test]
    fn fraction_and_offset_of_exif_stand_apart() {
        let some = |text: &str| Some(text.to_owned());
        let written = Written {
            text: some("2024:05:12 14:03:10"),
            fraction: some("07"),
            offset: some("+02:00"),
        };
        let stamp = Stamp::of(&written).unwrap();
        assert_eq!(stamp.wall.subsec_nanosecond(), 70_000_000);
        assert_eq!(stamp.zone, Zone::Offset(120));
        let blank = Written { offset: some("   :  "), ..written };
        assert_eq!(Stamp::of(&blank).unwrap().zone, Zone::Local);
    }
}
