//! `safelight-export.json`: everything that is known of every item, for programs that come later.

use std::sync::Arc;

use safelight_core::catalog::Held;
use safelight_core::class::MediaClass;
use safelight_core::digest::Digests;
use safelight_core::key::Key;
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;
use serde_json::{Value, json};

use super::Paper;
use crate::inventory::{Inventory, Item};
use crate::weigh::Standing;

/// The paper's name.
pub const NAME: &str = "safelight-export.json";

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It stands in this export.
    Exported(Box<Held>),
    /// It is proven elsewhere and was not fetched.
    Elsewhere,
    /// It was not asked for.
    LeftOut,
    /// It is still only at the service; the code says why.
    Missing(&'static str),
}

/// All of it: a line for each item.
pub fn paper(
    inventory: &Arc<Inventory>,
    standings: &Arc<Vec<Standing>>,
    fates: Arc<Vec<Fate>>,
) -> Option<Paper> {
    let (inventory, standings) = (Arc::clone(inventory), Arc::clone(standings));
    let lines = move || {
        let (inventory, standings, fates) =
            (Arc::clone(&inventory), Arc::clone(&standings), Arc::clone(&fates));
        let head = json!({
            "v": 1,
            "service": inventory.service.name,
            "kind": inventory.service.kind,
            "complete": inventory.is_complete(),
            "unseen": inventory.unseen.iter().map(|part| json!({
                "path": part.key.as_ref().map(ToString::to_string),
                "code": part.code, "message": part.message,
            })).collect::<Vec<_>>(),
            "unlisted": inventory.unlisted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        let mut head = head.to_string();
        head.pop();
        head.push_str(",\"items\":[\n");
        let count = inventory.items.len();
        let items = (0..count).map(move |at| {
            let standing = standings.get(at).cloned().unwrap_or_default();
            let fate = fates.get(at).unwrap_or(&Fate::LeftOut);
            let mut line = entry(&inventory, &inventory.items[at], &standing, fate).to_string();
            line.push_str(if at + 1 < count { ",\n" } else { "\n" });
            line.into_bytes()
        });
        let end = std::iter::once(b"]}\n".to_vec());
        Box::new(std::iter::once(head.into_bytes()).chain(items).chain(end)) as super::Lines
    };
    Key::new(NAME).ok().map(|key| Paper::new(key, lines))
}

fn entry(inventory: &Inventory, item: &Item, standing: &Standing, fate: &Fate) -> Value {
    let remark = item.remark.as_deref();
    let still = item.film_of.map(|still| inventory.items[still].remote_id());
    let mut value = json!({
        "remote_id": item.remote_id(),
        "path": path(&item.entry.key),
        "class": class(item.class),
        "size": item.entry.size,
        "hashes": digests(&item.entry.digests),
        "modified": item.entry.modified.map(instant),
        "taken": remark.and_then(|remark| remark.taken).or(item.named).map(taken),
        "albums": inventory.titles(item).collect::<Vec<_>>(),
        "favourite": remark.is_some_and(|remark| remark.favourite),
        "hidden": remark.is_some_and(|remark| remark.hidden),
        "caption": remark.and_then(|remark| remark.caption.as_deref()),
        "keywords": remark.map(|remark| remark.keywords.clone()).unwrap_or_default(),
        "film_of": still,
        "trashed": item.trashed,
        "other_bytes": standing.flagged,
        "elsewhere": standing.places.iter().map(|place| json!({
            "where": place.name,
            "path": path(&place.key),
            "proof": place.proof.map_or("library".to_owned(), |(proof, _)| format!("{proof:?}")),
            "checked": place.proof.map(|(_, at)| instant(at)),
            "counts": place.counts,
            "sha256": place.sha256.map(hex::encode),
        })).collect::<Vec<_>>(),
    });
    let (state, local) = match fate {
        Fate::Exported(held) => (
            "exported",
            Some(json!({
                "path": path(&held.key),
                "hashes": digests(&held.content.digests),
                "proof": format!("{:?}", held.proof),
                "stored": instant(held.proved_at),
            })),
        ),
        Fate::Elsewhere => ("elsewhere", None),
        Fate::LeftOut => ("left-out", None),
        Fate::Missing(code) => {
            value["code"] = json!(code);
            ("missing", None)
        }
    };
    value["state"] = json!(state);
    value["local"] = local.unwrap_or(Value::Null);
    value
}

fn class(class: MediaClass) -> &'static str {
    class.word()
}

/// The exact name where it is text, else the harmless form.
fn path(key: &Key) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

fn digests(digests: &Digests) -> Value {
    json!({
        "sha256": digests.sha256.map(hex::encode),
        "md5": digests.md5.map(hex::encode),
        "crc32c": digests.crc32c.map(|crc| format!("{crc:08x}")),
        "dropbox": digests.dropbox.map(hex::encode),
    })
}

fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos())).unwrap_or_default().to_string()
}

fn taken(taken: Taken) -> Value {
    json!({ "local": taken.local(), "zone": taken.zone().to_string(), "source": taken.source().word() })
}
