//! A BagIt bag (RFC 8493): what librarians keep things in, with tools of their own to check it.

use std::sync::Arc;

use jiff::Timestamp as Instant;
use jiff::tz::Offset;
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use super::{Paper, Payload};

/// The folder that the payload stands in.
pub const DATA: &str = "data";
/// The manifest's name.
pub const MANIFEST: &str = "manifest-sha256.txt";
/// The name of the manifest of the papers themselves.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";

/// What the bag says about itself.
#[derive(Debug, Clone, Default)]
pub struct Label {
    /// The service that it came from.
    pub source: String,
    /// What it is, for people.
    pub about: String,
    /// When its last file was stored.
    pub at: Timestamp,
}

/// Declaration, label and manifest of a bag with this payload.
pub fn papers(label: &Label, payload: &Arc<Vec<Payload>>) -> Vec<Paper> {
    let declared = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned();
    let mut papers = Vec::new();
    papers.extend(named("bagit.txt").map(|key| Paper::short(key, declared)));
    papers.extend(named("bag-info.txt").map(|key| Paper::short(key, info(label, payload))));
    papers.extend(named(MANIFEST).map(|key| Paper::of_files(key, payload, manifest_line)));
    papers
}

/// The manifest of the papers themselves.
pub fn tag_manifest(papers: &[Payload]) -> Option<Paper> {
    let mut papers = papers.to_vec();
    papers.sort();
    let text: Vec<u8> = papers.iter().flat_map(manifest_line).collect();
    let text = String::from_utf8_lossy(&text).into_owned();
    named(TAG_MANIFEST).map(|key| Paper::short(key, text))
}

fn named(name: &str) -> Option<Key> {
    Key::new(name).ok()
}

fn info(label: &Label, payload: &[Payload]) -> String {
    let bytes: u64 = payload.iter().map(|file| file.size).sum();
    let date = Instant::from_nanosecond(i128::from(label.at.as_nanos())).unwrap_or_default();
    let date = Offset::UTC.to_datetime(date).strftime("%Y-%m-%d").to_string();
    let flat = |text: &str| text.replace(['\r', '\n'], " ");
    format!(
        "Source-Organization: {}\nExternal-Description: {}\nBagging-Date: {date}\n\
         Payload-Oxum: {bytes}.{}\nBag-Software-Agent: Safelight\n",
        flat(&label.source),
        flat(&label.about),
        payload.len(),
    )
}

/// The RFC has line ends and percent signs in names written as escapes, and nothing else.
fn manifest_line(file: &Payload) -> Vec<u8> {
    file.line(|byte| match byte {
        b'\n' => Some("%0A"),
        b'\r' => Some("%0D"),
        b'%' => Some("%25"),
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64) -> Payload {
        Payload { key: Key::new(name).unwrap(), size, sha256: [0xab; 32] }
    }

    #[test]
    fn a_bag_says_what_it_holds() {
        let label = Label {
            source: "amazon\nphotos".into(),
            about: "all".into(),
            at: Timestamp::from_parts(1_719_835_200, 0),
        };
        let papers =
            papers(&label, &Arc::new(vec![file("data/100%\n.jpg", 7), file("data/b c.jpg", 5)]));
        let texts: Vec<_> =
            papers.iter().map(|paper| String::from_utf8(paper.text()).unwrap()).collect();
        assert_eq!(texts[0], "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
        assert!(
            texts[1].contains("Payload-Oxum: 12.2\n")
                && texts[1].contains("Bagging-Date: 2024-07-01\n")
        );
        assert!(texts[1].starts_with("Source-Organization: amazon photos\n"));
        let digest = "ab".repeat(32);
        assert_eq!(texts[2], format!("{digest}  data/100%25%0A.jpg\n{digest}  data/b c.jpg\n"));
    }
}
