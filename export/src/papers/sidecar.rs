//! XMP beside a file, for what only the service knew: caption, albums, favourite, words, a date set by hand.
//!
//! | known of it | written as | read by |
//! |---|---|---|
//! | caption | `dc:description` | Lightroom, digiKam, Immich |
//! | words and albums | `dc:subject`, `lr:hierarchicalSubject`, `digiKam:TagsList`; albums below `Albums` | all three |
//! | favourite | `xmp:Rating` 5 | all three |
//! | date | `exif:DateTimeOriginal`, `photoshop:DateCreated`, `xmp:CreateDate` | all three |
//!
//! The name is `IMG_1.jpg.xmp`, which digiKam and Immich read; for raws it is `IMG_1.xmp`, since Lightroom reads only that
//! and only for raws.

use safelight_core::class::MediaClass;
use safelight_core::key::Key;
use safelight_core::taken::{Taken, Zone};

/// What a sidecar tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// What is said about it.
    pub caption: Option<&'a str>,
    /// Words that it was filed under.
    pub keywords: Vec<&'a str>,
    /// Titles of its albums.
    pub albums: Vec<&'a str>,
    /// It is a favourite.
    pub favourite: bool,
    /// When it was taken, as the service says.
    pub taken: Option<Taken>,
}

impl Facts<'_> {
    /// Whether there is nothing worth a sidecar. A date alone is: the file may not tell it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the sidecar of a file stands.
pub fn key_of(file: &Key, class: MediaClass) -> Option<Key> {
    let name = file.name();
    let stem = match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 && class == MediaClass::Raw => &name[..dot],
        _ => name,
    };
    let name = [stem, b".xmp"].concat();
    match file.parent() {
        Some(folder) => folder.join(name).ok(),
        None => Key::new(name).ok(),
    }
}

/// The sidecar's text.
pub fn text(facts: &Facts<'_>) -> String {
    let mut out = String::from(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"Safelight\">\n \
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n  \
         <rdf:Description rdf:about=\"\"\n    \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"\n    \
         xmlns:digiKam=\"http://www.digikam.org/ns/1.0/\"\n    \
         xmlns:exif=\"http://ns.adobe.com/exif/1.0/\"\n    \
         xmlns:lr=\"http://ns.adobe.com/lightroom/1.0/\"\n    \
         xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\"\n    \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">\n",
    );
    if let Some(date) = facts.taken.map(moment) {
        for name in ["exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"] {
            element(&mut out, name, &date);
        }
    }
    if facts.favourite {
        element(&mut out, "xmp:Rating", "5");
    }
    if let Some(caption) = facts.caption {
        out.push_str("   <dc:description>\n    <rdf:Alt>\n     <rdf:li xml:lang=\"x-default\">");
        out.push_str(&escaped(caption));
        out.push_str("</rdf:li>\n    </rdf:Alt>\n   </dc:description>\n");
    }
    let words = || facts.keywords.iter().map(|word| (*word).to_owned());
    let under = |mark: char| {
        // Each program has a sign that parts levels; in a title it means nothing.
        facts.albums.iter().map(move |title| format!("Albums{mark}{}", title.replace(mark, "_")))
    };
    let plain = words().chain(facts.albums.iter().map(|title| (*title).to_owned())).collect();
    list(&mut out, "dc:subject", "Bag", plain);
    list(&mut out, "lr:hierarchicalSubject", "Bag", words().chain(under('|')).collect());
    list(&mut out, "digiKam:TagsList", "Seq", words().chain(under('/')).collect());
    out.push_str("  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n");
    out
}

fn moment(taken: Taken) -> String {
    let zone = match taken.zone() {
        Zone::Local => String::new(),
        Zone::Utc => "Z".to_owned(),
        zone @ Zone::Offset(_) => zone.to_string(),
    };
    format!("{}{zone}", taken.local())
}

/// Text takes whatever is written to it.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = std::fmt::Write::write_fmt(out, text);
}

fn element(out: &mut String, name: &str, value: &str) {
    put(out, format_args!("   <{name}>{}</{name}>\n", escaped(value)));
}

fn list(out: &mut String, name: &str, kind: &str, mut values: Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    values.retain(|value| seen.insert(value.clone()));
    if values.is_empty() {
        return;
    }
    put(out, format_args!("   <{name}>\n    <rdf:{kind}>\n"));
    for value in values {
        put(out, format_args!("     <rdf:li>{}</rdf:li>\n", escaped(&value)));
    }
    put(out, format_args!("    </rdf:{kind}>\n   </{name}>\n"));
}

/// For text and attributes; characters that XML does not know are left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use safelight_core::taken::Source;

    use super::*;

    #[test]
    fn a_sidecar_tells_what_the_service_knew_and_breaks_out_of_nothing() {
        let facts = Facts {
            caption: Some("</rdf:li> & \"me\"\u{0}\u{1b}"),
            keywords: vec!["sea"],
            albums: vec!["Us | them/you"],
            favourite: true,
            taken: Some(Taken::from_parts(
                1_715_515_200_000_000_000,
                Zone::Offset(120),
                Source::Sidecar,
            )),
        };
        let text = text(&facts);
        for part in [
            "<exif:DateTimeOriginal>2024-05-12T12:00:00+02:00</exif:DateTimeOriginal>",
            "<xmp:Rating>5</xmp:Rating>",
            "&lt;/rdf:li&gt; &amp; &quot;me&quot;</rdf:li>",
            "<rdf:li>Albums|Us _ them/you</rdf:li>",
            "<rdf:li>Albums/Us | them_you</rdf:li>",
            "<rdf:li>sea</rdf:li>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn raws_have_theirs_under_the_stem() {
        let of = |name: &str, class| key_of(&Key::new(name).unwrap(), class).unwrap().to_string();
        assert_eq!(of("a/IMG.jpg", MediaClass::Photo), "a/IMG.jpg.xmp");
        assert_eq!(of("a/IMG.NEF", MediaClass::Raw), "a/IMG.xmp");
        assert_eq!(of("IMG", MediaClass::Raw), "IMG.xmp");
    }
}
