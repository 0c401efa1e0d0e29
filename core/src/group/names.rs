//! What names say about belonging together.

/// A name without regard to the case of Latin letters.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// The whole name.
    pub whole: Vec<u8>,
    /// Without the last ending.
    pub stem: Vec<u8>,
    /// The last ending, without the dot.
    pub ending: Vec<u8>,
}

/// What programs put behind the name of an edited copy; those with an accent in both ways of writing it.
const EDITED: &[&str] = &[
    "-edited",
    "-bearbeitet",
    "-modifié",
    "-modifie\u{301}",
    "-modificato",
    "-bewerkt",
    "-edytowane",
    "-editado",
    "-ha editado",
    "-editat",
    "-編集済み",
    "-编辑",
    "-effects",
    "-motion",
    "-animation",
    "-smile",
    "-collage",
    "-mix",
];

impl Name {
    pub fn new(name: &[u8]) -> Self {
        let whole = name.to_ascii_lowercase();
        let dot = whole.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
        let (stem, ending) = match dot {
            Some(dot) => (whole[..dot].to_vec(), whole[dot + 1..].to_vec()),
            None => (whole.clone(), Vec::new()),
        };
        Self { whole, stem, ending }
    }

    pub fn ends(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| ending.as_bytes() == self.ending)
    }

    /// The stem of the still of which this would be the movie.
    pub fn of_movie(&self) -> &[u8] {
        self.stem.strip_suffix(b"_hevc").unwrap_or(&self.stem)
    }

    /// The stem without what Pixel phones add to tell a raw picture from its JPEG.
    pub fn of_raw(&self) -> &[u8] {
        let stem = &self.stem;
        let cover = stem.strip_suffix(b".cover").or_else(|| stem.strip_suffix(b".original"));
        let Some(rest) = cover else { return stem };
        match rest {
            [base @ .., b'.', b'r', b'a', b'w', b'-', a, b]
                if a.is_ascii_digit() && b.is_ascii_digit() =>
            {
                base
            }
            _ => stem,
        }
    }

    /// The stem of which this would be an edited copy.
    pub fn of_edit(&self) -> Option<Vec<u8>> {
        if let Some(number) = self.stem.strip_prefix(b"img_e").filter(|number| is_number(number)) {
            return Some([b"img_", number].concat());
        }
        if let [base @ .., b'~', digit] = self.stem.as_slice()
            && digit.is_ascii_digit()
        {
            return Some(base.to_vec());
        }
        // A counter of equal names stands behind the addition: `a-edited(1)` is a copy of `a(1)`.
        let bracket = self.stem.iter().rposition(|byte| *byte == b'(').filter(|at| {
            let inner = &self.stem[at + 1..];
            inner.strip_suffix(b")").is_some_and(is_number)
        });
        let (stem, counter) = self.stem.split_at(bracket.unwrap_or(self.stem.len()));
        let base = EDITED.iter().find_map(|suffix| stem.strip_suffix(suffix.as_bytes()))?;
        Some([base, counter].concat())
    }

    /// The stems of the pictures whose recipe this could be, the likeliest first.
    pub fn of_recipe(&self) -> Vec<Vec<u8>> {
        let mut stems = vec![self.stem.clone()];
        stems.extend(self.stem.strip_suffix(b"_o").map(<[u8]>::to_vec));
        let number = self.stem.strip_prefix(b"img_o").filter(|number| is_number(number));
        stems.extend(number.map(|number| [b"img_", number].concat()));
        stems
    }

    /// The stems of the films whose preview this could be: GoPro names the film `GX010001` or `GH010001` and its
    /// preview `GL010001`.
    pub fn of_preview(&self) -> Vec<Vec<u8>> {
        let mut stems = vec![self.stem.clone()];
        if let Some(number) = self.stem.strip_prefix(b"gl").filter(|number| is_number(number)) {
            stems.extend([b"gx", b"gh"].map(|film| [film.as_slice(), number].concat()));
        }
        stems
    }
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_edited_copies_lead_to_their_originals() {
        let cases = [
            ("IMG_E1234.HEIC", Some("img_1234")),
            ("IMG_EDIT.HEIC", None),
            ("a-edited.jpg", Some("a")),
            ("a-bearbeitet(2).jpg", Some("a(2)")),
            ("a-modifie\u{301}.jpg", Some("a")),
            ("a~2.jpg", Some("a")),
            ("a.jpg", None),
        ];
        for (name, original) in cases {
            let found = Name::new(name.as_bytes()).of_edit();
            assert_eq!(found.as_deref(), original.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn pixel_marks_do_not_separate_raw_and_jpeg() {
        let base = |name: &str| Name::new(name.as_bytes()).of_raw().to_vec();
        assert_eq!(base("PXL_1.RAW-01.COVER.jpg"), b"pxl_1");
        assert_eq!(base("PXL_1.RAW-02.ORIGINAL.dng"), b"pxl_1");
        assert_eq!(base("book.cover.jpg"), b"book.cover");
    }
}
