//! The names that Google Takeout gives to the JSON beside a picture.

use super::names::Name;

/// Names are cut to so many UTF-16 units before the ending.
const LONGEST: usize = 46;

/// The names, in lower case, that the JSON of this file can have, the likeliest first. The way back, from JSON to file,
/// is not certain and therefore not gone.
pub(super) fn json_names(name: &Name) -> Vec<Vec<u8>> {
    let (Ok(stem), Ok(ending)) =
        (std::str::from_utf8(&name.stem), std::str::from_utf8(&name.ending))
    else {
        return Vec::new();
    };
    let (base, counter) = split_counter(stem);
    let dot = if ending.is_empty() { "" } else { "." };
    let mut names = Vec::new();
    for tail in [".supplemental-metadata", ""] {
        let full = format!("{base}{dot}{ending}{tail}");
        names.push(format!("{}{counter}.json", cut(&full)).into_bytes());
        if !counter.is_empty() {
            let inside = format!("{stem}{dot}{ending}{tail}");
            names.push(format!("{}.json", cut(&inside)).into_bytes());
        }
    }
    names
}

fn split_counter(stem: &str) -> (&str, &str) {
    let counter = stem.rfind('(').filter(|at| {
        let inner = stem[at + 1..].strip_suffix(')').unwrap_or_default();
        !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit())
    });
    stem.split_at(counter.unwrap_or(stem.len()))
}

fn cut(text: &str) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > LONGEST
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_are_cut_and_counted_as_google_does() {
        let has = |file: &str, json: &str| {
            let names = json_names(&Name::new(file.as_bytes()));
            assert!(names.contains(&json.as_bytes().to_vec()), "{file} {json}");
        };
        has("IMG_1.jpg", "img_1.jpg.supplemental-metadata.json");
        has("IMG_1.jpg", "img_1.jpg.json");
        has("IMG_1(2).jpg", "img_1.jpg.supplemental-metadata(2).json");
        has("PXL_20240512_140310123.MP.jpg", "pxl_20240512_140310123.mp.jpg.supplemental-met.json");
    }
}
