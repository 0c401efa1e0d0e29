//! Who has some content.

use super::{Content, Freshness, Held, ItemId, Presence, Stat};
use crate::digest::{Algorithm, Digests};
use crate::key::Key;
use crate::taken::Taken;

/// Content that is looked for, as somebody else describes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Its size in bytes.
    pub size: u64,
    /// What is known of it; perhaps nothing.
    pub digests: Digests,
}

impl Wanted {
    /// How `content` compares with what is looked for; `None` if it is surely something else.
    pub fn likeness(&self, content: &Content) -> Option<Likeness> {
        if self.size != content.size {
            return None;
        }
        match self.digests.compare(&content.digests) {
            Err(_) => None,
            // Thirty-two bits and a size meet by chance among a million photos.
            Ok(None | Some(Algorithm::Crc32c)) => Some(Likeness::Perhaps),
            Ok(Some(algorithm)) => Some(Likeness::Same(algorithm)),
        }
    }
}

/// How content that the catalog knows compares with content that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// It is the same, by this digest.
    Same(Algorithm),
    /// The size is the same and no strong digest is known of both.
    Perhaps,
}

/// An item that has, or has copies of, content that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// Which of the wanted, by its place in the question.
    pub wanted: usize,
    /// How the content compares.
    pub likeness: Likeness,
    /// The content as the catalog knows it.
    pub content: Content,
    /// The item.
    pub item: ItemId,
    /// Where it stands in the library.
    pub key: Key,
    /// As last recorded.
    pub stat: Stat,
    /// How it stands in the library.
    pub presence: Presence,
    /// Whether the library's own file has this content, as far as recorded; `None` if the item's recorded content is
    /// another or none.
    pub freshness: Option<Freshness>,
    /// When the item was taken, as an inspection of it told.
    pub taken: Option<Taken>,
    /// Its copies with this content: the name of the destination, and what is claimed.
    pub copies: Vec<(String, Held)>,
}
