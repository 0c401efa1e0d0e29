//! Which items of one folder belong together.
//!
//! Invariant: an item is in at most one group, and the groups do not depend on the order in which the items are
//! given. Nothing is left out of a backup for want of a group; a group says what must stay together.

mod folder;
mod links;
mod names;
mod takeout;

use crate::class::MediaClass;
use crate::key::Key;

use crate::taken::Taken;
use crate::traits::Traits;
use crate::words::words;
use folder::Folder;

/// An item as grouping sees it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Where it stands. All subjects stand in the same folder.
    pub key: &'a Key,
    /// What it is.
    pub class: MediaClass,
    /// Apple's identifier, if it carries one.
    pub content_id: Option<&'a str>,
    /// When it was taken; a mere file date is no evidence here.
    pub taken: Option<Taken>,
}

impl<'a> Subject<'a> {
    /// An item that was inspected.
    pub fn new(key: &'a Key, traits: &'a Traits) -> Self {
        let content_id = traits.content_id.as_deref();
        Self { key, class: traits.class, content_id, taken: traits.taken }
    }
}

/// What makes items a group, the closest tie first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A still and the movie around it.
    LivePhoto,
    /// A raw picture and the same one developed by the camera.
    RawJpeg,
    /// A picture and what was made of it, or the recipe for that.
    Edited,
    /// A picture or film and files about it.
    Sidecar,
}

words!(Kind {
    LivePhoto "live-photo"
    RawJpeg "raw-jpeg"
    Edited "edited"
    Sidecar "sidecar"
});

/// Why items are thought to belong together, the strongest evidence first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// They carry the same identifier.
    ContentId,
    /// Their names belong together, and they were taken at the same time.
    NameAndTime,
    /// Their names belong together; about the time nothing is known.
    Name,
}

words!(Evidence {
    ContentId "content-id"
    NameAndTime "name-and-time"
    Name "name"
});

/// What an item is in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The picture.
    Still,
    /// The raw picture.
    Raw,
    /// The film.
    Movie,
    /// What was made of the picture.
    Edit,
    /// How it was made: AAE.
    Recipe,
    /// A file about another one.
    Sidecar,
    /// A small picture or film for the camera's own screen: THM, LRV.
    Preview,
    /// Something else that has a sidecar.
    Other,
}

words!(Role {
    Still "still"
    Raw "raw"
    Movie "movie"
    Edit "edit"
    Recipe "recipe"
    Sidecar "sidecar"
    Preview "preview"
    Other "other"
});

/// An item in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Where it stands.
    pub key: &'a Key,
    /// What it is to the others.
    pub role: Role,
}

/// Items that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// The closest tie in it.
    pub kind: Kind,
    /// The evidence for that tie; of several the weakest.
    pub by: Evidence,
    /// Whether nothing is missing that its members say exists: a still or movie with an identifier that nothing else
    /// in the folder carries, or a recipe without its picture, is incomplete, and a group even if it is alone.
    pub complete: bool,
    /// In the order of their keys.
    pub members: Vec<Member<'a>>,
}

/// The groups of one folder, in the order of their first members.
///
/// # The rule
///
/// Names are compared without regard to the case of Latin letters; "stem" is the name without its last ending.
///
/// * **Live Photo**: a still (photo or raw) and a film with the same identifier, those of the same stem first. Else
///   the same stem (`IMG_1_HEVC` belongs to `IMG_1`), unless identifiers differ or they were taken more than five
///   seconds apart.
/// * **Raw and JPEG**: a raw and a photo of the same stem, unless taken more than a second apart. In Pixel names
///   `.RAW-01.COVER` and `.RAW-02.ORIGINAL` do not count.
/// * **Edited**: `IMG_E1` belongs to `IMG_1`; `X-edited` (in the languages that are known) and `X~2` to `X`; an AAE
///   to the picture of its stem, `_O` or an `O` before the number left out.
/// * **Sidecar**: `photo.ext.xmp` belongs to `photo.ext`, else `photo.xmp` to the raw, photo or film of that stem;
///   THM and LRV likewise, films first. JSON of Google Takeout by the rule by which Google forms its name.
///
/// Ties add up: a Live Photo with a recipe and a sidecar is one group of four.
pub fn groups<'a>(subjects: &[Subject<'a>]) -> Vec<Group<'a>> {
    let folder = Folder::new(subjects);
    let links = links::all(&folder);
    folder.groups(&links)
}
