//! Under which key an item goes at a destination whose names are not ours.
//!
//! Invariant: the key depends only on the item's own key, the destination's rules and whether another item
//! already folds to it. Nothing is ever stored over another item, and nothing is dropped because of its name.

use unicode_normalization::UnicodeNormalization as _;

use crate::capability::{Length, NameRules};
use crate::digest::{Algorithms, Hasher};
use crate::key::Key;

/// What `key` is to a destination that does not tell all spellings apart; two keys with the same fold are one
/// file there. `None` if the destination tells every byte apart.
pub fn fold(key: &Key, rules: NameRules) -> Option<Vec<u8>> {
    if !rules.case_blind && !rules.normalises {
        return None;
    }
    let Some(text) = key.as_str() else { return Some(key.as_bytes().to_vec()) };
    let mut folded: String = text.to_owned();
    if rules.normalises {
        folded = folded.nfc().collect();
    }
    if rules.case_blind {
        folded = folded.to_lowercase();
    }
    Some(folded.into_bytes())
}

/// The key to use where nothing collides: the item's own, with segments cut that are too long. `None` if no
/// key within the destination's limits can be made.
pub fn fit(key: &Key, rules: NameRules) -> Option<Key> {
    let fitted = match rules.max_segment {
        None => key.clone(),
        Some(limit) => {
            let segments: Option<Vec<_>> =
                key.segments().map(|segment| shorten(segment, limit)).collect();
            Key::new(segments?.join(&b'/')).ok()?
        }
    };
    (rules.max_key_bytes.is_none_or(|max| fitted.as_bytes().len() <= max)).then_some(fitted)
}

/// A key for an item whose own key is taken there by another spelling: `a.jpg` becomes `a (3f2a91c7).jpg`. The
/// tag comes from the item's own key, so that it is the same in every run.
pub fn disambiguate(key: &Key, rules: NameRules) -> Option<Key> {
    let (stem, ending) = split_ending(key.name());
    let name = [stem, format!(" ({})", tag(key.as_bytes())).as_bytes(), ending].concat();
    let moved = match key.parent() {
        Some(parent) => parent.join(name),
        None => Key::new(name),
    };
    fit(&moved.ok()?, rules)
}

fn shorten(segment: &[u8], limit: Length) -> Option<Vec<u8>> {
    let length = |name: &[u8]| match limit {
        Length::Bytes(_) => name.len(),
        Length::Utf16(_) => String::from_utf8_lossy(name).encode_utf16().count(),
    };
    let (Length::Bytes(max) | Length::Utf16(max)) = limit;
    if length(segment) <= max {
        return Some(segment.to_vec());
    }
    let (stem, ending) = split_ending(segment);
    let tail = [b"~".as_slice(), tag(segment).as_bytes(), ending].concat();
    let mut stem = String::from_utf8_lossy(stem).into_owned();
    while length(stem.as_bytes()) + length(&tail) > max {
        stem.pop()?;
    }
    Some([stem.as_bytes(), &tail].concat())
}

fn split_ending(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 && name.len() - dot <= 10 => name.split_at(dot),
        _ => (name, b""),
    }
}

fn tag(bytes: &[u8]) -> String {
    let digest = Hasher::of(bytes, Algorithms::default()).sha256.unwrap_or_default();
    hex::encode(&digest[..4])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BLIND: NameRules = NameRules {
        case_blind: true,
        normalises: true,
        max_segment: Some(Length::Bytes(40)),
        max_key_bytes: Some(100),
    };

    fn key(text: &str) -> Key {
        Key::new(text).unwrap()
    }

    #[test]
    fn spellings_that_are_one_file_there_fold_to_one() {
        assert_eq!(fold(&key("A/ÉTÉ.JPG"), BLIND), fold(&key("a/e\u{301}te\u{301}.jpg"), BLIND));
        assert_ne!(fold(&key("a/b.jpg"), BLIND), fold(&key("a/c.jpg"), BLIND));
        assert_eq!(fold(&key("a"), NameRules::default()), None);
    }

    #[test]
    fn a_second_name_is_stable_and_keeps_the_ending() {
        let second = disambiguate(&key("2024/IMG.JPG"), BLIND).unwrap();
        assert_eq!(second, disambiguate(&key("2024/IMG.JPG"), BLIND).unwrap());
        assert_ne!(second, disambiguate(&key("2024/img.JPG"), BLIND).unwrap());
        assert!(second.to_string().starts_with("2024/IMG ("), "{second}");
        assert!(second.to_string().ends_with(").JPG"), "{second}");
    }

    #[test]
    fn long_names_are_cut_within_characters_and_stay_apart() {
        let long = |c: &str| key(&format!("x/{}{c}.jpg", "é".repeat(40)));
        let (a, b) = (fit(&long("a"), BLIND).unwrap(), fit(&long("b"), BLIND).unwrap());
        assert_ne!(a, b);
        assert!(a.name().len() <= 40 && a.name().ends_with(b".jpg") && a.as_str().is_some());
        assert_eq!(fit(&key("a/".repeat(60).trim_end_matches('/')), BLIND), None);
    }
}
