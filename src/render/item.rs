//! One file of the library and its copies.

use safelight_core::catalog::{LegDetail, Presence};
use safelight_core::digest::Algorithm;
use safelight_core::provider::Proof;
use safelight_core::time::Timestamp;
use serde_json::{Value, json};

use super::codes::title;
use super::moment;

/// The word for how an item stands in the library.
pub fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Suspect => "damaged",
        Presence::Gone(_) => "deleted",
        Presence::Excluded => "left-out",
    }
}

/// How we know that a copy is good, in one word.
pub fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Claimed => "claimed",
        Proof::SizeOnly => "size",
        Proof::ServerHash(Algorithm::Crc32c) => "service-checksum",
        Proof::ServerHash(_) => "service-hash",
        Proof::ReadBack => "read-back",
    }
}

/// A copy for programs; `None` if there is none.
pub fn copy_json(leg: &LegDetail) -> Option<Value> {
    let held = leg.leg.held.as_ref()?;
    let mut object = json!({
        "destination": leg.destination, "proof": proof_word(held.proof),
        "proved_at": moment::stamp(held.proved_at), "sha256": held.content.digests.sha256.map(|hash| hex(&hash)),
        "current": !leg.todo,
    });
    super::key::put(&mut object, &held.key);
    Some(object)
}

/// How a copy stands: state, evidence, what happens next.
pub fn leg_words(leg: &LegDetail, now: Timestamp) -> (&'static str, String, String) {
    let next = match (leg.todo, leg.leg.hold) {
        (false, _) => "nothing to do".to_owned(),
        (true, None) => "goes with the next run".to_owned(),
        (true, Some(code)) => format!("held back: {}   [{code}]", title(code)),
    };
    let Some(held) = &leg.leg.held else { return ("no copy", String::new(), next) };
    let how = match held.proof {
        Proof::Claimed => "the service said yes, nothing more",
        Proof::SizeOnly => "its size is right",
        Proof::ServerHash(Algorithm::Crc32c) => {
            "the service's checksum of the stored bytes is ours"
        }
        Proof::ServerHash(_) => "the service's own hash of the stored bytes is ours",
        Proof::ReadBack => "read back, and its hash is ours",
    };
    let state = match (leg.todo, held.proof.counts()) {
        (true, _) => "older version",
        (false, true) => "proved",
        (false, false) => "copied",
    };
    (state, format!("{how} ({})", moment::ago(held.proved_at, now)), next)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
