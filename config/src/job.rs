//! The typed settings of `[job.NAME]` with `kind = "mirror"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::units::{BadUnit, ByteSize, Rate, Share, format_duration, parse_duration};

/// One mirror job: the library to several destinations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The NAME of `[job.NAME]`.
    pub name: String,
    /// Names of destinations, as written; each is defined in the same file.
    pub to: Vec<String>,
    /// Patterns in gitignore syntax; when there are any, only matching items take part.
    pub only: Vec<String>,
    /// How fast and how much at once.
    pub limits: Limits,
    /// What happens when an item is gone from the library.
    pub deletions: Deletions,
    /// What happens when an item has new content.
    pub changes: Changes,
}

/// `[job.NAME.limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The first rule that fits the time of day holds; none fits: unlimited.
    pub bandwidth: Vec<BandwidthRule>,
    /// Items in flight per destination, where the user wants another number than the destination's own.
    pub parallel: Vec<(String, u32)>,
    /// The byte budget for data on its way.
    pub memory: ByteSize,
}

/// `[job.NAME.deletions]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletions {
    /// Whether and when copies of a deleted item are removed.
    pub propagate: Propagate,
    /// Removed copies go into the destination's trash; `false`: they are gone.
    pub trash: bool,
    /// How long the trash keeps them.
    pub keep_for: Duration,
    /// A run that would remove more stops and asks.
    pub guard: Guard,
}

/// `[job.NAME.changes]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// How many replaced versions of an item a destination keeps.
    pub keep_versions: u32,
    /// A run that would replace more stops and asks.
    pub guard: Guard,
}

/// Whichever of the two is smaller trips: a small library is protected by the share, a large one by the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// At most this many items.
    pub files: u64,
    /// At most this share of the items at the destination.
    pub share: Share,
}

impl Guard {
    /// The largest number of items a run may touch at a destination that holds `held` items.
    pub fn allows(&self, held: u64) -> u64 {
        self.files.min(self.share.of(held))
    }
}

/// Whether and when a deletion in the library reaches the destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagate {
    /// Copies stay for ever.
    Never,
    /// With the next run.
    AtOnce,
    /// When the item has been gone this long.
    After(Duration),
}

impl FromStr for Propagate {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let expected = BadUnit { expected: "\"never\", \"at once\" or \"after 30 days\"" };
        match text.trim() {
            "never" => Ok(Self::Never),
            "at once" => Ok(Self::AtOnce),
            other => {
                let duration = other.strip_prefix("after ").ok_or(expected)?;
                parse_duration(duration).map(Self::After).map_err(|_| expected)
            }
        }
    }
}

impl fmt::Display for Propagate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::AtOnce => f.write_str("at once"),
            Self::After(duration) => write!(f, "after {}", format_duration(*duration)),
        }
    }
}

/// One entry of `bandwidth`: `[HH:MM-HH:MM] [up|down] RATE|unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandwidthRule {
    /// The hours in which it holds; None: always.
    pub window: Option<Window>,
    /// Which way it counts; None: both.
    pub direction: Option<Direction>,
    /// The limit; None: unlimited.
    pub rate: Option<Rate>,
}

/// Part of a day by the local clock, in minutes since midnight; may run over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First minute.
    pub from: u16,
    /// The minute after the last.
    pub to: u16,
}

impl Window {
    /// Whether it holds at this minute of the day.
    pub fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the destination.
    Up,
    /// From it.
    Down,
}

impl FromStr for BandwidthRule {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let expected =
            BadUnit { expected: "\"2 MB/s\", \"unlimited\" or \"07:00-23:00 up 1 MB/s\"" };
        let mut rest = text.trim();
        let mut rule = Self { window: None, direction: None, rate: None };
        if let Some((first, tail)) = rest.split_once(' ')
            && first.contains('-')
        {
            let (from, to) = first.split_once('-').ok_or(expected)?;
            let window = minute(from).zip(minute(to)).map(|(from, to)| Window { from, to });
            rule.window = Some(window.ok_or(expected)?);
            rest = tail.trim_start();
        }
        for (word, direction) in [("up ", Direction::Up), ("down ", Direction::Down)] {
            if let Some(tail) = rest.strip_prefix(word) {
                rule.direction = Some(direction);
                rest = tail.trim_start();
                break;
            }
        }
        if rest != "unlimited" {
            rule.rate = Some(rest.parse().map_err(|_| expected)?);
        }
        // A limit of nothing would never let a run end.
        if rule.rate == Some(Rate(ByteSize(0))) { Err(expected) } else { Ok(rule) }
    }
}

/// `"07:30"` to 450; `"24:00"` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

impl fmt::Display for BandwidthRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Window { from, to }) = self.window {
            write!(f, "{:02}:{:02}-{:02}:{:02} ", from / 60, from % 60, to / 60, to % 60)?;
        }
        match self.direction {
            Some(Direction::Up) => f.write_str("up ")?,
            Some(Direction::Down) => f.write_str("down ")?,
            None => {}
        }
        match self.rate {
            Some(rate) => rate.fmt(f),
            None => f.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bandwidth_rules_read_as_they_are_written() {
        for text in
            ["2 MB/s", "unlimited", "up 1 MB/s", "07:00-23:00 up 1 MB/s", "23:00-07:00 unlimited"]
        {
            assert_eq!(text.parse::<BandwidthRule>().unwrap().to_string(), text);
        }
        for text in [
            "2 MB",
            "7-23 up 1 MB/s",
            "07:00-25:00 1 MB/s",
            "07:60-08:00 1 MB/s",
            "0 MB/s",
            "up",
            "",
        ] {
            assert!(text.parse::<BandwidthRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_window_may_run_over_midnight() {
        let night: BandwidthRule = "23:00-07:00 unlimited".parse().unwrap();
        let window = night.window.unwrap();
        assert!(window.contains(23 * 60) && window.contains(0) && window.contains(7 * 60 - 1));
        assert!(!window.contains(7 * 60) && !window.contains(12 * 60));
    }

    #[test]
    fn the_smaller_of_count_and_share_guards() {
        let guard = Guard { files: 200, share: "2%".parse().unwrap() };
        assert_eq!(guard.allows(1_000), 20);
        assert_eq!(guard.allows(1_000_000), 200);
    }
}
