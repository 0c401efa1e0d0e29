//! What others call as we never would, in listings that are for taking everything out: told under a key that shows its
//! path, and read by its revision.

use safelight_core::entry::Listed;
use safelight_core::error::{Error, Kind};
use safelight_core::key::Key;

use crate::names::fold;
use crate::wire::Metadata;

/// Gathered while a listing is made.
pub(crate) type Literal = safelight_core::literal::Literal<Metadata>;

pub(crate) fn gathering() -> Literal {
    Literal::new(|key| fold(&String::from_utf8_lossy(key.as_bytes())))
}

/// Takes up a file to which no key leads.
pub(crate) fn take_up(literal: &mut Literal, shown: String, file: &Metadata) {
    let identity = file.path_lower.clone().unwrap_or_default();
    literal.take_up(identity, shown, file.clone());
}

/// All of them.
pub(crate) fn told(literal: Literal) -> impl Iterator<Item = Listed> {
    literal.told().into_iter().map(|(key, file)| tell(key, &file))
}

fn tell(key: Option<Key>, file: &Metadata) -> Listed {
    match key {
        Some(key) if file.rev.is_some() => Listed::File(file.entry_by_rev(key)),
        key => {
            let context = "listing: nothing leads to a file that is there";
            Listed::Unseen { key, error: Error::new(Kind::Protocol, context) }
        }
    }
}
