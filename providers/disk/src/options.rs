//! What can be set for a destination.

use safelight_core::error::{Error, Kind, Result};

/// What can be set for a destination besides its place.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much room stays free.
    pub reserve: Reserve,
    /// Whether every item is read back from the medium before it counts.
    pub read_back: bool,
    /// Whether it stands on a disk that can be taken away: then a new root is never made on the system's own
    /// disk, since that would be the empty folder where the other disk is usually mounted.
    pub removable: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { reserve: Reserve::PerMille(10), read_back: true, removable: false }
    }
}

/// Room that stays free at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// So many bytes.
    Bytes(u64),
    /// A share of the whole file system, in thousandths.
    PerMille(u16),
}

impl Reserve {
    /// The reserve in bytes on a file system of `total` bytes.
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::PerMille(share) => total / 1000 * u64::from(share),
        }
    }

    /// Reads `"1%"`, `"0.5 %"`, `"20 GB"`, `"4GiB"` or a plain number of bytes.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] if it is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let context = format!(
                "`reserve`: expected a size such as 20 GB or a share such as 1%, not `{text}`"
            );
            Error::new(Kind::Unsupported, context)
        };
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..split], text[split..].trim());
        if unit == "%" {
            let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
            let whole: u16 = whole.parse().map_err(|_| wrong())?;
            let tenths: u16 = tenths.parse().map_err(|_| wrong())?;
            let sound = tenths < 10 && whole < 100;
            return sound.then(|| Self::PerMille(whole * 10 + tenths)).ok_or_else(wrong);
        }
        let factor: u64 = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(factor).map(Self::Bytes).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_a_size_or_a_share() {
        let cases = [
            ("1%", Some(Reserve::PerMille(10))),
            ("0.5 %", Some(Reserve::PerMille(5))),
            ("0", Some(Reserve::Bytes(0))),
            ("20 GB", Some(Reserve::Bytes(20_000_000_000))),
            ("4GiB", Some(Reserve::Bytes(4 << 30))),
            ("100%", None),
            ("-1", None),
            ("much", None),
            ("", None),
            ("99999999999 TB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Reserve::parse(text).ok(), expected, "{text}");
        }
        assert_eq!(Reserve::PerMille(10).of(1_000_000), 10_000);
    }
}
