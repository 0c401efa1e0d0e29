//! The filter language of listings: `kind:(FILE OR FOLDER) AND status:AVAILABLE`.

mod fields;
mod parse;

pub(super) use fields::{Place, check};
pub(super) use parse::parse;

/// A filter that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Field(String, Pattern),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Exactly(String),
    Prefix(String),
    /// From and to; whether the ends themselves belong to it. No end: open.
    Range {
        from: Option<String>,
        to: Option<String>,
        inclusive: bool,
    },
}

impl Filter {
    /// Whether a node fits whose fields `values` tells.
    pub(super) fn fits(&self, values: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.fits(values)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(values)),
            Self::Not(part) => !part.fits(values),
            Self::Field(field, pattern) => {
                let blind = field == "name";
                values(field).iter().any(|value| pattern.fits(value, blind))
            }
        }
    }

    /// A parent that everything has that fits, if there is one.
    pub(super) fn parent(&self) -> Option<&str> {
        match self {
            Self::All(parts) => parts.iter().find_map(Self::parent),
            Self::Field(field, Pattern::Exactly(id)) if field == "parents" => Some(id),
            _ => None,
        }
    }

    /// Every field with its pattern, in order.
    pub(super) fn fields(&self) -> Vec<(&str, &Pattern)> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(part) => part.fields(),
            Self::Field(field, pattern) => vec![(field, pattern)],
        }
    }
}

impl Pattern {
    /// `blind`: upper and lower case are the same.
    fn fits(&self, value: &str, blind: bool) -> bool {
        let fold = |text: &str| if blind { text.to_lowercase() } else { text.to_owned() };
        match self {
            Self::Exactly(wanted) => fold(value) == fold(wanted),
            Self::Prefix(start) => fold(value).starts_with(&fold(start)),
            // Dates of one form, so that the order of texts is the order of times.
            Self::Range { from, to, inclusive } => {
                let above = |from: &String| value > from.as_str() || (*inclusive && value == from);
                let below = |to: &String| value < to.as_str() || (*inclusive && value == to);
                from.as_ref().is_none_or(above) && to.as_ref().is_none_or(below)
            }
        }
    }
}
