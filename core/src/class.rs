//! Media classes: what kind of thing an item is, for pools and rules.
//!
//! The class steers where an item goes and which quota it counts against; it never decides whether an item is
//! backed up at all.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// What kind of thing an item is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MediaClass {
    /// A developed picture: JPEG, HEIC, PNG ...
    Photo,
    /// A camera's raw picture.
    Raw,
    /// A film.
    Video,
    /// A small file that belongs to a picture: XMP, AAE ...
    Sidecar,
    /// Everything else.
    Other,
}

impl MediaClass {
    /// All classes, in the order in which reports name them.
    pub const ALL: [Self; 5] = [Self::Photo, Self::Raw, Self::Video, Self::Sidecar, Self::Other];

    /// The word for it in config, reports and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Raw => "raw",
            Self::Video => "video",
            Self::Sidecar => "sidecar",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for MediaClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for MediaClass {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|class| class.word() == word).ok_or(())
    }
}

const PHOTO: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "heic", "heif", "hif", "avif", "png", "gif", "webp", "tif",
    "tiff", "bmp", "jxl", "jp2", "psd",
];
const RAW: &[&str] = &[
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "iiq", "kdc", "mef", "mos",
    "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
];
const VIDEO: &[&str] = &[
    "mp4", "m4v", "mov", "qt", "avi", "mts", "m2ts", "ts", "mkv", "webm", "3gp", "3g2", "mpg",
    "mpeg", "wmv", "asf", "flv", "ogv", "insv",
];
const SIDECAR: &[&str] = &["xmp", "aae", "thm", "lrv", "pp3", "dop"];

/// Tells the class of an item by the ending of its name.
#[derive(Debug, Clone)]
pub struct Classifier {
    endings: HashMap<String, MediaClass>,
    chosen: HashMap<String, MediaClass>,
}

impl Default for Classifier {
    fn default() -> Self {
        let lists = [
            (PHOTO, MediaClass::Photo),
            (RAW, MediaClass::Raw),
            (VIDEO, MediaClass::Video),
            (SIDECAR, MediaClass::Sidecar),
        ];
        let endings = lists
            .into_iter()
            .flat_map(|(list, class)| list.iter().map(move |ending| ((*ending).to_owned(), class)))
            .collect();
        Self { endings, chosen: HashMap::new() }
    }
}

impl Classifier {
    /// From now on `ending` (without the dot, any case) means `class`, whatever the content is.
    pub fn set(&mut self, ending: &str, class: MediaClass) {
        self.chosen.insert(ending.to_ascii_lowercase(), class);
    }

    /// The class of an item called `name`.
    pub fn classify(&self, name: &[u8]) -> MediaClass {
        let known = |ending: &String| self.chosen.get(ending).or_else(|| self.endings.get(ending));
        ending(name).as_ref().and_then(known).copied().unwrap_or(MediaClass::Other)
    }

    /// The class that was [set](Classifier::set) for items called so: it stands above what their content says.
    pub fn chosen(&self, name: &[u8]) -> Option<MediaClass> {
        if self.chosen.is_empty() {
            return None;
        }
        self.chosen.get(&ending(name)?).copied()
    }
}

fn ending(name: &[u8]) -> Option<String> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    Some(String::from_utf8_lossy(&name[dot + 1..]).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_in_any_case_tell_the_class() {
        let mut classifier = Classifier::default();
        classifier.set("GPR", MediaClass::Raw);
        let cases: [(&[u8], MediaClass); 7] = [
            (b"IMG_1.HEIC", MediaClass::Photo),
            (b"a.b.Cr3", MediaClass::Raw),
            (b"x.mOv", MediaClass::Video),
            (b"IMG_1.HEIC.xmp", MediaClass::Sidecar),
            (b"notes.txt", MediaClass::Other),
            (b"README", MediaClass::Other),
            (b"dive.gpr", MediaClass::Raw),
        ];
        for (name, class) in cases {
            assert_eq!(classifier.classify(name), class);
        }
        assert_eq!(classifier.chosen(b"dive.gpr"), Some(MediaClass::Raw));
        assert_eq!(classifier.chosen(b"a.b.Cr3"), None);
    }
}
