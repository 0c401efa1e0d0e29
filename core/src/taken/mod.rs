//! When something was taken: local time, what is known of its difference to UTC, where it was read, how sure it is.

mod source;

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp as Instant};
pub use source::{Confidence, Source};

use crate::time::Timestamp;

/// What is known of the difference between the local time and UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// The local time is known, its difference is not: no point in time.
    Local,
    /// The time is UTC; what clocks showed at the place is not known.
    Utc,
    /// So many minutes ahead of UTC.
    Offset(i16),
}

/// `local`, `UTC` or `+02:00`; [`Zone::from_str`] reads it back.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Utc => f.write_str("UTC"),
            Self::Offset(minutes) => {
                let sign = if *minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl FromStr for Zone {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "local" => Ok(Self::Local),
            "UTC" => Ok(Self::Utc),
            offset => {
                let minutes = read_offset(offset).ok_or(())?;
                Ok(Self::Offset(minutes))
            }
        }
    }
}

/// Minutes from `+02:00`.
fn read_offset(text: &str) -> Option<i16> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<i16>().ok()?, minutes.parse::<i16>().ok()?);
    let sound = (0..=15).contains(&hours) && (0..60).contains(&minutes);
    sound.then_some(sign * (hours * 60 + minutes))
}

/// When something was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Taken {
    wall: i64,
    zone: Zone,
    source: Source,
}

impl Taken {
    /// From what [`Taken::wall`], [`Taken::zone`] and [`Taken::source`] told: how a catalog keeps it.
    pub const fn from_parts(wall: i64, zone: Zone, source: Source) -> Self {
        Self { wall, zone, source }
    }

    /// From the time of modification; `None` if that is one of the days that mean "no date".
    pub fn from_modified(modified: Timestamp) -> Option<Self> {
        Self::judged(modified.as_nanos(), Zone::Utc, Source::Modified, None)
    }

    /// From what a file says. `None` for the days that mean "no date", here or by UTC, and for what lies more than a day after `now`.
    pub fn judged(wall: i64, zone: Zone, source: Source, now: Option<Timestamp>) -> Option<Self> {
        let taken = Self { wall, zone, source };
        let meant = |nanos: i64| {
            let instant = Instant::from_nanosecond(i128::from(nanos)).ok()?;
            let day = Offset::UTC.to_datetime(instant).date();
            let none = matches!(day.year(), 1904 | 1970 | 1980) && day.day_of_year() == 1;
            (!none).then_some(())
        };
        meant(taken.wall).and_then(|()| meant(taken.instant_or_wall().as_nanos()))?;
        let day_after = |now: Timestamp| now.plus(std::time::Duration::from_hours(24));
        let future = now.is_some_and(|now| taken.instant_or_wall() > day_after(now));
        (!future).then_some(taken)
    }

    /// The local time as nanoseconds since 1970-01-01 00:00 of the same clock. With [`Zone::Utc`] it is UTC's.
    ///
    /// This is the key for newest-first: pictures are filed by the day that people remember.
    pub const fn wall(&self) -> i64 {
        self.wall
    }

    /// What is known of the difference to UTC.
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// Where it was read.
    pub const fn source(&self) -> Source {
        self.source
    }

    /// How far it can be believed; follows from source and zone.
    pub const fn confidence(&self) -> Confidence {
        match (self.source, self.zone) {
            (Source::Modified, _) => Confidence::Weak,
            (
                Source::FilmHeader
                | Source::Satellites
                | Source::ExifChanged
                | Source::Service
                | Source::Name,
                _,
            ) => Confidence::Fair,
            (Source::ExifPlaced, _) | (_, Zone::Local) => Confidence::Good,
            _ => Confidence::Sure,
        }
    }

    /// The point in time, if it is known.
    pub fn instant(&self) -> Option<Timestamp> {
        match self.zone {
            Zone::Local => None,
            Zone::Utc | Zone::Offset(_) => Some(self.instant_or_wall()),
        }
    }

    fn instant_or_wall(&self) -> Timestamp {
        let minutes = if let Zone::Offset(minutes) = self.zone { minutes } else { 0 };
        Timestamp::from_nanos(self.wall.saturating_sub(i64::from(minutes) * 60_000_000_000))
    }

    /// The better of two dates for the same thing; of equals the one with a known offset, then the first.
    #[must_use]
    pub fn or_better(self, other: Option<Self>) -> Self {
        let rank = |taken: &Self| (taken.source, taken.zone == Zone::Local);
        other.filter(|other| rank(other) < rank(&self)).unwrap_or(self)
    }

    /// How far apart two moments are, if that can be said: where one offset is unknown, the difference may be off
    /// by what zones differ, so the smallest possible difference counts.
    pub(crate) fn apart(&self, other: &Self) -> SignedDuration {
        let nanos = |a: i64, b: i64| SignedDuration::from_nanos(a.saturating_sub(b)).abs();
        match (self.zone, other.zone) {
            (Zone::Local, Zone::Local | Zone::Offset(_)) | (Zone::Offset(_), Zone::Local) => {
                nanos(self.wall, other.wall)
            }
            (Zone::Local, Zone::Utc) | (Zone::Utc, Zone::Local) => {
                let whole = nanos(self.wall, other.wall);
                let quarter = SignedDuration::from_mins(15);
                if whole > SignedDuration::from_hours(14) + quarter {
                    return whole;
                }
                let rest = whole.as_secs() % quarter.as_secs();
                SignedDuration::from_secs(rest.min(quarter.as_secs() - rest))
            }
            _ => nanos(self.instant_or_wall().as_nanos(), other.instant_or_wall().as_nanos()),
        }
    }

    /// The local time for programs: `2024-05-12T14:03:10`.
    pub fn local(&self) -> String {
        self.civil().map(|wall| wall.strftime("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default()
    }

    fn civil(&self) -> Option<DateTime> {
        let instant = Instant::from_nanosecond(i128::from(self.wall)).ok()?;
        Some(Offset::UTC.to_datetime(instant))
    }
}

/// For people: `2024-05-12 14:03:10 +02:00, EXIF`.
impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(wall) = self.civil() {
            write!(f, "{}", wall.strftime("%Y-%m-%d %H:%M:%S"))?;
        }
        if self.zone != Zone::Local {
            write!(f, " {}", self.zone)?;
        }
        write!(f, ", {}", self.source.told())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOON: i64 = 1_715_515_200_000_000_000;
    const HOUR: i64 = 3_600_000_000_000;

    fn taken(hours: i64, zone: Zone, source: Source) -> Taken {
        Taken::from_parts(NOON + hours * HOUR, zone, source)
    }

    #[test]
    fn people_read_local_time_offset_and_source() {
        let cases = [
            (Zone::Offset(120), "2024-05-12 12:00:00 +02:00, EXIF"),
            (Zone::Offset(-210), "2024-05-12 12:00:00 -03:30, EXIF"),
            (Zone::Utc, "2024-05-12 12:00:00 UTC, EXIF"),
            (Zone::Local, "2024-05-12 12:00:00, EXIF"),
        ];
        for (zone, text) in cases {
            assert_eq!(taken(0, zone, Source::Exif).to_string(), text);
            assert_eq!(zone.to_string().parse(), Ok(zone));
        }
    }

    #[test]
    fn only_with_an_offset_it_is_a_point_in_time() {
        let east = taken(0, Zone::Offset(120), Source::Exif);
        assert_eq!(east.instant().unwrap().as_nanos(), NOON - 2 * HOUR);
        assert_eq!(taken(0, Zone::Local, Source::Exif).instant(), None);
        assert_eq!(east.confidence(), Confidence::Sure);
        assert_eq!(taken(0, Zone::Local, Source::Exif).confidence(), Confidence::Good);
    }

    #[test]
    fn the_dates_that_mean_no_date_are_none() {
        let date = |seconds| Taken::from_modified(Timestamp::from_parts(seconds, 0));
        assert_eq!(date(0), None);
        assert_eq!(date(315_532_800), None, "the first day of 1980: a FAT disk without a clock");
        assert_eq!(date(1_715_515_200).unwrap().to_string(), "2024-05-12 12:00:00 UTC, file date");
    }

    #[test]
    fn the_better_source_wins_and_of_equals_the_first() {
        let exif = taken(0, Zone::Local, Source::Exif);
        let sidecar = taken(5, Zone::Local, Source::Sidecar);
        assert_eq!(exif.or_better(Some(sidecar)), sidecar);
        assert_eq!(sidecar.or_better(Some(exif)), sidecar);
        assert_eq!(exif.or_better(Some(taken(1, Zone::Local, Source::Exif))), exif);
        assert_eq!(exif.or_better(None), exif);
    }

    #[test]
    fn distance_allows_for_an_offset_that_is_not_known() {
        let local = taken(0, Zone::Local, Source::Exif);
        let same = taken(-2, Zone::Utc, Source::FilmHeader);
        assert_eq!(local.apart(&same), SignedDuration::ZERO);
        let days = taken(-48, Zone::Utc, Source::FilmHeader);
        assert_eq!(local.apart(&days), SignedDuration::from_hours(48));
        let east = taken(2, Zone::Offset(120), Source::Exif);
        assert_eq!(east.apart(&taken(0, Zone::Utc, Source::Exif)), SignedDuration::ZERO);
    }
}
