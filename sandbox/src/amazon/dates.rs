//! Dates as the service writes and reads them: UTC, milliseconds.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2022-11-27T14:09:16.927Z`.
pub(super) fn text(millis: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(millis).unwrap_or_default())
}

/// Milliseconds since 1970.
pub(super) fn read(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Year, month and day.
pub(super) fn parts(millis: i64) -> (i16, i8, i8) {
    let time = Timestamp::from_millisecond(millis).unwrap_or_default();
    let date = time.to_zoned(TimeZone::UTC).date();
    (date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        let date = "2022-11-27T14:09:16.927Z";
        let millis = read(date).unwrap_or_default();
        assert_eq!(text(millis), date);
        assert_eq!(text(millis - 927), "2022-11-27T14:09:16.000Z");
        assert_eq!(parts(millis), (2022, 11, 27));
        assert_eq!(read("2022-11-27"), None);
    }
}
