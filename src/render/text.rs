//! Numbers, sizes and spans as people read them.

use std::time::Duration;

/// Widest line of running text.
const WIDTH: usize = 100;

/// `48,390`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `31 files`.
pub fn files(number: u64) -> String {
    plural(number, "file")
}

/// `1 problem`, `2 problems`.
pub fn plural(number: u64, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `3.9 GB`; 1 GB is 1,000,000,000 bytes.
pub fn size(bytes: u64) -> String {
    // Each with the number of bytes from which on it reads well; 0.8 MB reads better than 800 kB.
    const UNITS: [(&str, u64, u64); 5] = [
        ("PB", 1_000_000_000_000_000, 1_000_000_000_000_000),
        ("TB", 1_000_000_000_000, 1_000_000_000_000),
        ("GB", 1_000_000_000, 1_000_000_000),
        ("MB", 1_000_000, 100_000),
        ("kB", 1_000, 1_000),
    ];
    let unit = UNITS.iter().find(|(.., from)| bytes >= *from);
    let Some((unit, factor, _)) = unit else { return format!("{bytes} B") };
    let tenths = (u128::from(bytes) * 10 + u128::from(*factor) / 2) / u128::from(*factor);
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        let whole = (u128::from(bytes) + u128::from(*factor) / 2) / u128::from(*factor);
        format!("{whole} {unit}")
    }
}

/// `9 days`, `4 min`, `12 s`: the largest unit of which there are at least two.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Running text in lines, each after `indent` and ended; what stands in backquotes stays together.
pub fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty()
            && indent.len() + line.chars().count() + 1 + word.chars().count() > WIDTH
        {
            lines.push_str(&format!("{indent}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push_str(&format!("{indent}{line}\n"));
    }
    lines
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        open ^= word.matches('`').count() % 2 == 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_the_manual() {
        assert_eq!(count(48_390), "48,390");
        assert_eq!(count(999), "999");
        assert_eq!(files(1), "1 file");
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (4_200, "4.2 kB"),
            (51_000, "51 kB"),
            (800_000, "0.8 MB"),
            (4_258_143, "4.3 MB"),
            (3_911_448_102, "3.9 GB"),
            (812_000_000_000, "812 GB"),
            (1_100_000_000_000, "1.1 TB"),
            (9_960_000, "10 MB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
        assert_eq!(span(Duration::from_secs(700)), "11 min");
        assert_eq!(span(Duration::from_hours(9 * 24)), "9 days");
    }

    #[test]
    fn running_text_wraps_between_words_but_not_inside_a_command() {
        let text = format!("{} `safelight mirror --accept-deletions 318`", "word ".repeat(17));
        let lines = wrapped(&text, "  ");
        assert_eq!(lines.lines().last(), Some("  `safelight mirror --accept-deletions 318`"));
    }
}
