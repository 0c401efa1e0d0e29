//! The films of live photos: nodes below their stills, which no listing shows.
//!
//! The service tells of them still by still and in no other way, so a call is made for each live photo, and for no
//! other.

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use safelight_core::error::Result;
use safelight_core::key::Key;
use safelight_core::literal::tag;

use crate::node::{Kind, Node};
use crate::store::Store;
use crate::trouble::Trouble;
use crate::walk::{Question, Walk};

const DOING: &str = "looking for the films of live photos";

impl Store {
    /// The films of each of these stills, in the order of the stills.
    pub(crate) async fn films(&self, stills: &[String]) -> Result<Vec<Vec<Node>>> {
        let calls: Vec<_> = stills.iter().map(|still| self.films_of(still).boxed()).collect();
        stream::iter(calls).buffered(self.capabilities.concurrency).try_collect().await
    }

    async fn films_of(&self, still: &str) -> Result<Vec<Node>> {
        let (mut walk, mut films) = (Walk::new(Question::Below(still.to_owned())), Vec::new());
        while walk.end().is_none() {
            let page = match walk.page(&self.api, DOING).await {
                // It went meanwhile, and its film with it.
                Err(Trouble { status: Some(404), .. }) => return Ok(films),
                page => page?,
            };
            // Listings have held what stands elsewhere.
            let here =
                |node: &Node| node.folders.is_empty() || node.folders.iter().any(|id| id == still);
            let film = |node: &Node| {
                node.kind == Kind::Asset && node.has_bytes() && node.about.may_be_film()
            };
            films.extend(page.into_iter().filter(|node| film(node) && here(node)));
        }
        for film in &mut films {
            if !film.is_complete()
                && let Some(seen) = self.api.node(&film.id, DOING).await?.filter(Node::has_bytes)
            {
                *film = seen;
            }
        }
        films.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(films)
    }
}

/// The key of a film beside its still: the same stem, and the ending that the film has. `again`: that key belongs to
/// something else.
pub(crate) fn beside(still: &Key, film: &Node, again: bool) -> Option<Key> {
    let name = still.name();
    let stem = match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 => &name[..dot],
        _ => name,
    };
    // What phones call `MOV` the service calls by the name of its format.
    let ending = match film.about.ending.as_deref() {
        None => "MOV",
        Some(ending) if ending.eq_ignore_ascii_case("qt") => "MOV",
        Some(ending) => ending,
    };
    let tag = if again { tag(&film.id) } else { String::new() };
    let name = [stem, tag.as_bytes(), b".", ending.as_bytes()].concat();
    match still.parent() {
        Some(folder) => folder.join(name).ok(),
        None => Key::new(name).ok(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_film_stands_beside_its_still_under_the_same_stem() {
        let film = |ending: &str| {
            let content = json!({"extension": ending});
            let told = json!({"id": "F", "kind": "ASSET", "contentProperties": content});
            Node::read(&told).unwrap()
        };
        for (still, ending, expected) in [
            ("a/IMG_1.HEIC", "qt", "a/IMG_1.MOV"),
            ("IMG_1.HEIC", "mov", "IMG_1.mov"),
            ("a.b/IMG", "mp4", "a.b/IMG.mp4"),
            (".hidden", "", ".hidden.MOV"),
            ("a/b.c.jpg", "../../x", "a/b.c.MOV"),
        ] {
            let still = Key::new(still).unwrap();
            assert_eq!(beside(&still, &film(ending), false).unwrap().to_string(), expected);
        }
        let still = Key::new("IMG_1.HEIC").unwrap();
        let other = beside(&still, &film("qt"), true).unwrap().to_string();
        assert!(other.starts_with("IMG_1 (") && other.ends_with(").MOV"), "{other}");
    }
}
