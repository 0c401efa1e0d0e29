//! A config file after reading: every value with its type and where it came from, defaults filled in.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::destination::PoolLimit;
use crate::job::{BandwidthRule, Propagate};
use crate::secrets::SecretRef;
use crate::units::{Amount, ByteSize, Share, format_duration};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Not written in the file.
    Default,
    /// Written here.
    File {
        /// The line, from 1.
        line: usize,
        /// The bytes of the value.
        span: Range<usize>,
    },
}

impl Origin {
    /// The bytes of the value, if it was written.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Default => None,
            Self::File { span, .. } => Some(span.clone()),
        }
    }
}

/// A value of one of the forms that settings have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Flag(bool),
    Count(u64),
    Text(String),
    Path(PathBuf),
    Size(ByteSize),
    Share(Share),
    Amount(Amount),
    Limit(PoolLimit),
    Duration(Duration),
    Propagate(Propagate),
    Bandwidth(BandwidthRule),
    Rule { keep: bool, pattern: String },
    Secret(SecretRef),
    List(Vec<Entry>),
    Table(Table),
}

impl Value {
    /// The value as it is written in a config file; tables are not, they have a header.
    pub(crate) fn to_toml(&self) -> String {
        let quoted = |text: &dyn ToString| toml::Value::String(text.to_string()).to_string();
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Text(text) => quoted(text),
            Self::Path(path) => quoted(&path.display()),
            Self::Size(size) => quoted(size),
            Self::Share(share) => quoted(share),
            Self::Amount(amount) => quoted(amount),
            Self::Limit(limit) => quoted(limit),
            Self::Duration(duration) => quoted(&format_duration(*duration)),
            Self::Propagate(propagate) => quoted(propagate),
            Self::Bandwidth(rule) => quoted(rule),
            Self::Rule { keep, pattern } => {
                quoted(&format!("{} {pattern}", if *keep { '+' } else { '-' }))
            }
            Self::Secret(SecretRef::Command(words)) => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                format!("{{ cmd = [{}] }}", words.join(", "))
            }
            Self::Secret(reference) => quoted(reference),
            Self::List(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|entry| entry.value.to_toml()).collect();
                format!("[{}]", entries.join(", "))
            }
            Self::Table(_) => "{}".to_owned(),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    /// Masked in the copy for strangers.
    pub(crate) private: bool,
}

impl Entry {
    pub(crate) fn default(value: Value) -> Self {
        Self { value, origin: Origin::Default, private: false }
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// A table; entries are in the order of the definitions, or of the file where the user chooses the names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<(String, Entry)>,
    /// Settings that were written but could not be read; that is reported already.
    pub(crate) unreadable: Vec<String>,
}

impl Table {
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, entry)| entry)
    }

    /// Whether the file says nothing about this setting, not even something wrong.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        self.entry(name).is_none() && !self.unreadable.iter().any(|unreadable| unreadable == name)
    }

    /// Adds or replaces.
    pub(crate) fn set(&mut self, name: &str, entry: Entry) {
        match self.entries.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = entry,
            None => self.entries.push((name.to_owned(), entry)),
        }
    }

    /// A value of the expected type; None: absent.
    pub(crate) fn get<T: Typed>(&self, name: &str) -> Option<T> {
        self.entry(name).and_then(|entry| T::of(&entry.value))
    }

    /// The entries of a list of `T`.
    pub(crate) fn list<T: Typed>(&self, name: &str) -> Vec<T> {
        self.items(name).iter().filter_map(|entry| T::of(&entry.value)).collect()
    }

    /// The entries of a list with their origins.
    pub(crate) fn items(&self, name: &str) -> &[Entry] {
        match self.entry(name).map(|entry| &entry.value) {
            Some(Value::List(entries)) => entries,
            _ => &[],
        }
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.entry(name)?.table()
    }

    pub(crate) fn table_mut(&mut self, name: &str) -> Option<&mut Table> {
        let (_, entry) = self.entries.iter_mut().find(|(key, _)| key == name)?;
        match &mut entry.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The tables inside this one, with the names the user gave them.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.entries.iter().filter_map(|(name, entry)| Some((name.as_str(), entry.table()?)))
    }

    /// The bytes of a value that was written.
    pub(crate) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.entry(name)?.origin.span()
    }
}

/// A Rust type that some [`Value`] holds.
pub(crate) trait Typed: Sized {
    fn of(value: &Value) -> Option<Self>;
}

macro_rules! typed {
    ($($variant:ident => $type:ty),* $(,)?) => {
        $(impl Typed for $type {
            fn of(value: &Value) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value.clone()),
                    _ => None,
                }
            }
        })*
    };
}

typed! {
    Flag => bool,
    Count => u64,
    Text => String,
    Path => PathBuf,
    Size => ByteSize,
    Share => Share,
    Amount => Amount,
    Limit => PoolLimit,
    Duration => Duration,
    Propagate => Propagate,
    Bandwidth => BandwidthRule,
    Secret => SecretRef,
}
