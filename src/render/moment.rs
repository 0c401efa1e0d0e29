//! Points in time as people and logs read them, by the local clock.

use jiff::Zoned;
use jiff::tz::TimeZone;
use safelight_core::time::Timestamp;

use super::text::span;

fn local(at: Timestamp) -> Zoned {
    let at = jiff::Timestamp::new(at.seconds(), 0).unwrap_or_default();
    at.to_zoned(TimeZone::system())
}

/// `2026-11-22T02:31:04+01:00`.
pub fn stamp(at: Timestamp) -> String {
    local(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2026-11-22 02:31`.
pub fn short(at: Timestamp) -> String {
    local(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `2026-11-22`.
pub fn day(at: Timestamp) -> String {
    local(at).strftime("%Y-%m-%d").to_string()
}

/// `today 02:41`, `yesterday 23:10`, `9 days ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let (then, today) = (local(at), local(now));
    let days = today.date().since(then.date()).map_or(0, |span| span.get_days());
    match days {
        0 => then.strftime("today %H:%M").to_string(),
        1 => then.strftime("yesterday %H:%M").to_string(),
        _ => format!("{} ago", span(now.since(at))),
    }
}

/// Minutes since midnight.
pub fn minute_of_day(at: Timestamp) -> u16 {
    let time = local(at).time();
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default()
}
