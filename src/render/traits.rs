//! What is known of a file by its content: kind, date, group, health.

use safelight_core::catalog::{GroupDetail, ItemDetail};
use safelight_core::codes::{self, Code};
use safelight_core::group::{Evidence, Kind, Role};
use safelight_core::key::Key;
use safelight_core::taken::Taken;
use safelight_core::traits::{Flaw, Traits};
use serde_json::{Value, json};

/// How the class of an item is known, in one word. `chosen` says that the config sets it.
pub fn known_by(found: &ItemDetail, chosen: bool) -> &'static str {
    match &found.traits {
        _ if chosen => "config",
        Some(_) => "content",
        None => "name",
    }
}

/// The same as a sentence.
pub fn class_words(found: &ItemDetail, chosen: bool) -> String {
    let Some(traits) = &found.traits else {
        return "by its name; no run has looked into it yet".to_owned();
    };
    let mut words = match &traits.detected {
        Some(format) => format!("{format} by its content"),
        None => "no known format".to_owned(),
    };
    if traits.mismatch {
        words += ", which its name does not say";
    }
    if chosen {
        words += "; the class is set in [library.media]";
    }
    words
}

/// What is wrong with a file, with the page that says more.
pub fn health_words(flaw: Flaw) -> String {
    let code = |code: Code| format!("   [{code}]");
    match flaw {
        Flaw::Empty => "it has no bytes".to_owned() + &code(codes::EMPTY_FILE),
        Flaw::AllZero => "it holds nothing but zeros".to_owned() + &code(codes::ALL_ZERO),
        Flaw::Truncated => "a part of it is missing".to_owned() + &code(codes::TRUNCATED),
        Flaw::AppleDouble => "what a Mac keeps apart from a file; no picture".to_owned(),
    }
}

/// What kind of group it is and why, in words.
pub fn group_words(group: &GroupDetail) -> String {
    let kind = match group.kind {
        Kind::LivePhoto => "Live Photo",
        Kind::RawJpeg => "raw and JPEG",
        Kind::Edited => "original and edit",
        Kind::Sidecar => "with sidecar",
    };
    let by = match group.by {
        Evidence::ContentId => "they carry the same identifier",
        Evidence::NameAndTime => {
            "their names belong together, and they were taken at the same time"
        }
        Evidence::Name => "their names belong together",
    };
    if group.complete {
        format!("{kind}: {by}")
    } else {
        format!("{kind}, and a part of it is not in this folder")
    }
}

/// Everything for programs, to be merged into the object of the file.
pub fn put(object: &mut Value, found: &ItemDetail, chosen: bool) {
    let traits = found.traits.as_ref();
    object["known_by"] = known_by(found, chosen).into();
    object["format"] = json!(traits.and_then(|traits| traits.detected.as_deref()));
    object["mismatch"] = traits.is_some_and(|traits| traits.mismatch).into();
    object["taken"] = json!(found.taken().map(taken));
    object["health"] = json!(traits.and_then(|traits| traits.health).map(Flaw::word));
    object["burst"] = json!(traits.and_then(|traits| traits.burst.as_deref()));
    object["motion"] = json!(traits.and_then(motion));
    object["group"] = json!(found.group.as_ref().map(group));
}

fn motion(traits: &Traits) -> Option<Value> {
    let film = traits.motion.as_ref()?;
    Some(json!({ "start": film.start, "end": film.end }))
}

fn taken(taken: Taken) -> Value {
    json!({ "local": taken.local(), "zone": taken.zone().to_string(),
        "source": taken.source().word(), "confidence": taken.confidence().word() })
}

fn group(group: &GroupDetail) -> Value {
    let member = |(key, role): &(Key, Role)| {
        let mut member = json!({ "role": role.word() });
        super::key::put(&mut member, key);
        member
    };
    let members: Vec<Value> = group.members.iter().map(member).collect();
    json!({ "kind": group.kind.word(), "by": group.by.word(), "complete": group.complete,
        "members": members })
}
