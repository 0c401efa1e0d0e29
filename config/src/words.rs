//! The forms of text values: how a word in quotes is read, what is said when it does not fit, and the pattern
//! that the schema gives to editors.

use std::net::IpAddr;
use std::str::FromStr;

use ignore::gitignore::GitignoreBuilder;

use crate::export::TODAY;
use crate::place::tidy_root;
use crate::suggest::nearest;
use crate::tree::Value;
use crate::units::parse_duration;

/// One form of text value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// What a value is called in messages: "a size".
    pub(crate) what: &'static str,
    /// How to write one, shown as help and in the schema.
    pub(crate) examples: &'static [&'static str],
    /// A regular expression that every valid value matches.
    pub(crate) pattern: &'static str,
    /// Reads a value; None: it does not fit.
    pub(crate) read: fn(&str) -> Option<Value>,
}

macro_rules! size_pattern {
    () => {
        "[0-9]+(\\.[0-9]+)? *([kKmMgGtTpP][iI]?)?[bB]"
    };
}

fn read<T: FromStr>(text: &str, value: fn(T) -> Value) -> Option<Value> {
    text.parse().ok().map(value)
}

pub(crate) const SIZE: Words = Words {
    what: "a size",
    examples: &["5 GB", "128 MiB"],
    pattern: concat!("^ *", size_pattern!(), " *$"),
    read: |text| read(text, Value::Size),
};

pub(crate) const SHARE: Words = Words {
    what: "a share",
    examples: &["2%"],
    pattern: "^ *[0-9]+(\\.[0-9]+)? *% *$",
    read: |text| read(text, Value::Share),
};

pub(crate) const AMOUNT: Words = Words {
    what: "a size or a share",
    examples: &["250 MB", "5%"],
    pattern: concat!("^ *(", size_pattern!(), "|[0-9]+(\\.[0-9]+)? *%) *$"),
    read: |text| read(text, Value::Amount),
};

pub(crate) const LIMIT: Words = Words {
    what: "a limit",
    examples: &["unlimited", "ask", "5 GB"],
    pattern: concat!("^ *(unlimited|ask|", size_pattern!(), ") *$"),
    read: |text| read(text, Value::Limit),
};

pub(crate) const DURATION: Words = Words {
    what: "a duration",
    examples: &["30 days", "2 h"],
    pattern: "^ *([0-9]+(\\.[0-9]+)? *[a-zA-Z]+ *)+$",
    read: |text| parse_duration(text).ok().map(Value::Duration),
};

pub(crate) const PROPAGATE: Words = Words {
    what: "a time for deletions",
    examples: &["never", "at once", "after 30 days"],
    pattern: "^ *(never|at once|after .+) *$",
    read: |text| read(text, Value::Propagate),
};

pub(crate) const BANDWIDTH: Words = Words {
    what: "a bandwidth",
    examples: &["2 MB/s", "unlimited", "07:00-23:00 up 1 MB/s"],
    pattern: "^ *([0-9:]+-[0-9:]+ +)?((up|down) +)?(unlimited|.+/s) *$",
    read: |text| read(text, Value::Bandwidth),
};

pub(crate) const FILTER_RULE: Words = Words {
    what: "a filter rule",
    examples: &["- *.tmp", "+ **"],
    pattern: "^[+-] +[^ ]",
    read: |text| {
        let (sign, pattern) = text.split_at_checked(1)?;
        let keep = match sign {
            "+" => true,
            "-" => false,
            _ => return None,
        };
        let pattern = pattern.strip_prefix(' ')?.trim_start();
        is_pattern(pattern).then(|| Value::Rule { keep, pattern: pattern.to_owned() })
    },
};

pub(crate) const GLOB: Words = Words {
    what: "a pattern",
    examples: &["2026/**", "*.CR3"],
    pattern: "^[^!#]",
    read: |text| is_pattern(text).then(|| Value::Text(text.to_owned())),
};

/// A pattern that gitignore understands, and that means itself: `!` and `#` at the start would turn it round
/// or make it a remark.
fn is_pattern(pattern: &str) -> bool {
    let plain =
        !pattern.trim().is_empty() && !pattern.starts_with(['!', '#']) && !pattern.contains('\n');
    plain && GitignoreBuilder::new("").add_line(None, pattern).is_ok()
}

pub(crate) const ROOT: Words = Words {
    what: "a folder inside the destination",
    examples: &["Pictures/Safelight"],
    pattern: "^[^\\x00]*$",
    read: |text| tidy_root(text).map(Value::Text),
};

pub(crate) const EXPORT_PATH: Words = Words {
    what: "a folder inside the target",
    examples: &["Leaving Amazon {today}"],
    pattern: "^[^\\x00]+$",
    read: |text| {
        let path = tidy_root(text).filter(|path| !path.is_empty())?;
        let plain = !path.replace(TODAY, "").contains(['{', '}']) && !path.contains('\0');
        plain.then_some(Value::Text(path))
    },
};

pub(crate) const SPLIT: Words = Words {
    what: "\"none\" or a size",
    examples: &["none"],
    pattern: concat!("^ *(none|", size_pattern!(), ") *$"),
    read: |text| match text {
        "none" => Some(Value::Text(text.to_owned())),
        size => read(size, Value::Size),
    },
};

pub(crate) const NAME: Words = Words {
    what: "a name",
    examples: &["photos"],
    pattern: "[^ ]",
    read: |text| (!text.trim().is_empty()).then(|| Value::Text(text.to_owned())),
};

pub(crate) const ENDPOINT: Words = Words {
    what: "an endpoint",
    examples: &["https://s3.example.org", "sandbox"],
    pattern: "^(sandbox|https?://[^/ ].*)$",
    read: |text| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let good = text == "sandbox"
            || host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
        (good && !text.contains(char::is_whitespace)).then(|| Value::Text(text.to_owned()))
    },
};

pub(crate) const ADDRESS: Words = Words {
    what: "an address with https, or with http on this machine",
    examples: &["https://api.example.org", "http://127.0.0.1:8080"],
    pattern: "^(https://[^/?# ]+|http://(localhost|127[0-9.]+|\\[::1\\])(:[0-9]+)?)(/[^?# ]*)?$",
    read: |text| {
        let (scheme, rest) = text.split_once("://")?;
        let host = rest.split('/').next().filter(|host| !host.is_empty())?;
        let safe = scheme == "https" || (scheme == "http" && is_loopback(host));
        let plain = !text.contains(['?', '#', '\\']) && !text.contains(char::is_whitespace);
        (safe && plain).then(|| Value::Text(text.trim_end_matches('/').to_owned()))
    },
};

/// Whether a host, perhaps with a port behind it, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Letters, digits, `-` and `_`: what `[destination.NAME]` and `[job.NAME]` may be called.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Settings of this name hold secrets. Decides about options that are passed on without being known here, and
/// about misspelt settings: better one value too many hidden than one shown.
pub(crate) fn sounds_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "secret",
        "password",
        "passwd",
        "passphrase",
        "token",
        "credential",
        "signature",
        "private",
        "connection",
    ];
    let name = name.to_ascii_lowercase().replace('-', "_");
    WORDS.iter().any(|word| name.contains(word))
        || name.split('_').any(|part| nearest(part, WORDS).is_some())
        || ["key", "key_id", "pass", "pwd", "auth"].iter().any(|end| name.ends_with(end))
}

/// An address with a sign-in in it: `https://user:password@host`, or a token alone in that place.
pub(crate) fn holds_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    rest.split(['/', '?', '#']).next().unwrap_or(rest).contains('@')
}
