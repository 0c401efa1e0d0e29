//! Dates and bursts in the names that cameras, phones and messengers give.

use safelight_core::taken::Zone;

use super::stamp::Stamp;

/// A run of digits and what stands between it and the next one.
struct Run<'a> {
    digits: &'a str,
    gap: &'a str,
}

/// The date in a name. Local time, but UTC in names that begin with `PXL_`.
///
/// Understood are a day of eight digits or in three groups, and after it a time of six digits (more are a fraction)
/// or in three groups. A day alone counts where it is certain that it is one: in messengers' names (`-WA0001`).
pub(crate) fn read(name: &[u8]) -> Option<Stamp> {
    let name = std::str::from_utf8(name).ok()?;
    let zone = if name.starts_with("PXL_") { Zone::Utc } else { Zone::Local };
    let runs = runs(name);
    let wall = (0..runs.len()).find_map(|at| date(&runs[at..]))?;
    let stamp = Stamp::parse(wall.as_bytes())?;
    (1990..2100).contains(&stamp.wall.year()).then_some(Stamp { zone, ..stamp })
}

/// What the names of the stills of one burst share, where a maker's pattern says that they are a burst.
pub(crate) fn burst(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.strip_suffix("_COVER").unwrap_or(stem);
    let at = stem.find("BURST")?;
    let (before, digits) = (&stem[..at], &stem[at + 5..]);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Short numbers count within the burst that the rest names; long ones name the burst.
    Some(if digits.len() < 8 { before.trim_end_matches('_').to_owned() } else { digits.to_owned() })
        .filter(|id| !id.is_empty())
}

fn runs(name: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let gap = &rest[end..];
        let gap = &gap[..gap.find(|c: char| c.is_ascii_digit()).unwrap_or(gap.len())];
        runs.push(Run { digits: &rest[..end], gap });
        rest = &rest[end..];
    }
    runs
}

fn date(runs: &[Run<'_>]) -> Option<String> {
    let lens = |from: usize, lens: &[usize]| {
        let there = runs.get(from..from + lens.len());
        there.is_some_and(|runs| runs.iter().zip(lens).all(|(run, len)| run.digits.len() == *len))
    };
    let first = runs.first()?;
    if first.digits.len() == 14 {
        let (day, time) = first.digits.split_at(8);
        return whole(day, time);
    }
    let (day, next) = if first.digits.len() == 8 {
        (first.digits.to_owned(), 1)
    } else if lens(0, &[4, 2, 2]) && runs[..2].iter().all(|run| matches!(run.gap, "-" | "_" | "."))
    {
        (runs[..3].iter().map(|run| run.digits).collect(), 3)
    } else {
        return None;
    };
    let gap = runs[next - 1].gap;
    if gap.starts_with("-WA") {
        return Some(format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..8]));
    }
    if !matches!(gap, "-" | "_" | " " | "T" | "." | " at " | ", ") {
        return None;
    }
    let time = runs.get(next)?.digits;
    if matches!(time.len(), 6..=9) {
        return whole(&day, time);
    }
    let groups = lens(next, &[2, 2, 2]);
    groups
        .then(|| runs[next..next + 3].iter().map(|run| run.digits).collect::<String>())
        .and_then(|time| whole(&day, &time))
}

fn whole(day: &str, time: &str) -> Option<String> {
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..6)?);
    let fraction = time.get(6..).filter(|rest| !rest.is_empty()).unwrap_or("0");
    let text = format!(
        "{}-{}-{} {hour}:{minute}:{second}.{fraction}",
        day.get(..4)?,
        day.get(4..6)?,
        day.get(6..8)?
    );
    Stamp::parse(text.as_bytes()).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_phones_and_messengers_tell_the_date() {
        let cases = [
            ("IMG_20240512_140310.jpg", "2024-05-12T14:03:10"),
            ("VID-20240512-140310.mp4", "2024-05-12T14:03:10"),
            ("PXL_20240512_120310123.jpg", "2024-05-12T12:03:10.123"),
            ("Screenshot_2024-05-12-14-03-10.png", "2024-05-12T14:03:10"),
            ("Screenshot 2024-05-12 at 14.03.10.png", "2024-05-12T14:03:10"),
            ("signal-2024-05-12-140310.jpg", "2024-05-12T14:03:10"),
            ("00001IMG_00001_BURST20240512140310.jpg", "2024-05-12T14:03:10"),
            ("2024_05_12_14_03_10.jpg", "2024-05-12T14:03:10"),
            ("2024-05-12 14.03.10-1.jpg", "2024-05-12T14:03:10"),
            ("20240512_140310_001.jpg", "2024-05-12T14:03:10"),
            ("IMG-20240512-WA0007.jpg", "2024-05-12T00:00:00"),
        ];
        for (name, wall) in cases {
            let found = read(name.as_bytes()).map(|stamp| stamp.wall.to_string());
            assert_eq!(found.as_deref(), Some(wall), "{name}");
        }
        assert_eq!(read(b"PXL_20240512_120310123.jpg").map(|stamp| stamp.zone), Some(Zone::Utc));
    }

    #[test]
    fn other_numbers_in_names_are_no_dates() {
        for name in [
            "IMG_1234.JPG",
            "DSC_20241399_250000.jpg",
            "12345678.jpg",
            "20240512.jpg",
            "IMG_99990512_140310.jpg",
            "0123456789012345.jpg",
        ] {
            assert_eq!(read(name.as_bytes()), None, "{name}");
        }
        assert_eq!(read(b"IMG_20240512_140310\xff.jpg"), None);
    }

    #[test]
    fn bursts_are_told_by_what_their_names_share() {
        let cases = [
            ("IMG_20240512_140310_BURST001_COVER.jpg", Some("IMG_20240512_140310")),
            ("IMG_20240512_140310_BURST002.jpg", Some("IMG_20240512_140310")),
            ("DSC_0001_BURST20240512140310123_COVER.JPG", Some("20240512140310123")),
            ("00002IMG_00002_BURST1715522590000.jpg", Some("1715522590000")),
            ("BURST.jpg", None),
            ("IMG_0001.jpg", None),
        ];
        for (name, id) in cases {
            assert_eq!(burst(name.as_bytes()).as_deref(), id, "{name}");
        }
    }
}
