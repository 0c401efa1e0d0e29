//! Templates: `{taken:%Y}/{taken:%m}/{name}`.
//!
//! The ending of an item is never part of the template: it is appended to whatever comes out, so that the film of a live
//! photo can stand beside its still. `{name}` at the end of a template and `{stem}.{ext}` are the same there.

use std::fmt;
use std::ops::Range;

use crate::class::MediaClass;
use crate::taken::Taken;
use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Where pictures without a date go.
const UNDATED: &str = "undated";
const FIELDS: [&str; 7] = ["taken", "name", "stem", "ext", "folder", "class", "album"];

/// A template that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Path segments; the last is the name without its ending.
    segments: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Taken(String),
    Stem,
    Ext,
    Folder,
    Class,
    Album,
}

/// Why a text is no template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTemplate {
    /// The bytes of the text that are wrong.
    pub at: Range<usize>,
    /// What is wrong with them.
    pub why: String,
}

impl fmt::Display for BadTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.why, self.at.start + 1)
    }
}

impl std::error::Error for BadTemplate {}

/// What a template can tell of an item.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// When it was taken.
    pub taken: Option<Taken>,
    /// Its name without the ending.
    pub stem: &'a str,
    /// Its ending without the dot.
    pub ext: &'a str,
    /// The folders that it stands in at the service.
    pub folder: &'a [String],
    /// What kind of thing it is.
    pub class: MediaClass,
    /// The first album that it is in.
    pub album: Option<&'a str>,
}

impl Template {
    /// Reads a template. Braces are written twice to stand for themselves.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let bad = |at: Range<usize>, why: String| Err(BadTemplate { at, why });
        if text.starts_with('/') || text.starts_with('\\') {
            return bad(
                0..1,
                "a layout is a path below the target, so it begins with a name".into(),
            );
        }
        let (mut segments, mut parts, mut plain) = (Vec::new(), Vec::new(), String::new());
        let mut rest = text.char_indices().peekable();
        let mut last_begins = 0;
        while let Some((at, c)) = rest.next() {
            let doubled = matches!(c, '{' | '}') && rest.peek().is_some_and(|(_, next)| *next == c);
            match c {
                '{' | '}' if doubled => {
                    rest.next();
                    plain.push(c);
                }
                '}' => {
                    return bad(
                        at..at + 1,
                        "this brace closes nothing; write }} for a brace".into(),
                    );
                }
                '{' => {
                    let Some(length) = text[at..].find('}') else {
                        return bad(at..text.len(), "this brace is not closed".into());
                    };
                    let end = at + length;
                    flush(&mut plain, &mut parts);
                    parts.push(Part::read(&text[at + 1..end], at + 1)?);
                    while rest.peek().is_some_and(|(next, _)| *next <= end) {
                        rest.next();
                    }
                }
                '/' => {
                    flush(&mut plain, &mut parts);
                    check(&parts, last_begins..at)?;
                    segments.push(std::mem::take(&mut parts));
                    last_begins = at + 1;
                }
                c if c.is_control() || c == '\\' => {
                    return bad(
                        at..at + c.len_utf8(),
                        "this character cannot stand in a name".into(),
                    );
                }
                c => plain.push(c),
            }
        }
        flush(&mut plain, &mut parts);
        check(&parts, last_begins..text.len())?;
        if !parts.contains(&Part::Stem) {
            let why = "the last part needs {name} or {stem}, or all files would be called the same";
            return bad(last_begins..text.len(), why.into());
        }
        drop_ending(&mut parts);
        segments.push(parts);
        Ok(Self { segments })
    }

    /// Folders and name, without the ending; not yet made safe.
    pub fn render(&self, facts: &Facts<'_>) -> (Vec<String>, String) {
        let last = self.segments.len() - 1;
        let mut folders: Vec<String> = Vec::new();
        for parts in &self.segments[..last] {
            let dated = parts.iter().any(|part| matches!(part, Part::Taken(_)));
            if dated && facts.taken.is_none() {
                if folders.last().is_none_or(|folder| folder != UNDATED) {
                    folders.push(UNDATED.to_owned());
                }
                continue;
            }
            let text: String = parts.iter().map(|part| part.render(facts)).collect();
            folders.extend(text.split('/').filter(|name| !name.is_empty()).map(str::to_owned));
        }
        let name = self.segments[last].iter().map(|part| part.render(facts)).collect();
        (folders, name)
    }
}

/// `.{ext}` at the end says what is appended anyway.
fn drop_ending(parts: &mut Vec<Part>) {
    if parts.last() != Some(&Part::Ext) {
        return;
    }
    if let Some(at) = parts.len().checked_sub(2)
        && let Part::Text(text) = &mut parts[at]
        && text.ends_with('.')
    {
        text.pop();
        parts.pop();
    }
}

fn flush(plain: &mut String, parts: &mut Vec<Part>) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain)));
    }
}

fn check(parts: &[Part], at: Range<usize>) -> Result<(), BadTemplate> {
    let why = match parts {
        [] => "a name is missing between two slashes",
        [Part::Text(text)] if text == "." || text == ".." => "a layout leads only downwards",
        _ => return Ok(()),
    };
    Err(BadTemplate { at, why: why.into() })
}

impl Part {
    fn read(field: &str, at: usize) -> Result<Self, BadTemplate> {
        let (name, argument) = match field.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (field, None),
        };
        let whole = at..at + field.len();
        let part = match name {
            "taken" => {
                let format = argument.unwrap_or("%Y-%m-%d");
                let sample = DateTime::constant(2024, 5, 12, 14, 3, 10, 0);
                if let Err(error) = jiff::fmt::strtime::format(format, sample) {
                    let why = format!("this is no date format: {error}");
                    return Err(BadTemplate { at: at + name.len() + 1..whole.end, why });
                }
                return Ok(Self::Taken(format.to_owned()));
            }
            "name" | "stem" => Self::Stem,
            "ext" => Self::Ext,
            "folder" => Self::Folder,
            "class" => Self::Class,
            "album" => Self::Album,
            other => {
                let known = FIELDS.join(", ");
                let why = format!("there is no {{{other}}}; there are {known}");
                return Err(BadTemplate { at: whole, why });
            }
        };
        if argument.is_none() {
            return Ok(part);
        }
        let why = format!("only {{taken}} takes a format, not {{{name}}}");
        Err(BadTemplate { at: at + name.len()..whole.end, why })
    }

    fn render(&self, facts: &Facts<'_>) -> String {
        // What comes from outside may lead to a new folder only where the template says so.
        let flat = |text: &str| text.replace('/', "_");
        match self {
            Self::Text(text) => text.clone(),
            Self::Taken(format) => {
                let told = facts.taken.and_then(|taken| {
                    let wall = Instant::from_nanosecond(i128::from(taken.wall())).ok()?;
                    jiff::fmt::strtime::format(format, Offset::UTC.to_datetime(wall)).ok()
                });
                told.unwrap_or_else(|| UNDATED.to_owned())
            }
            Self::Stem => flat(facts.stem),
            Self::Ext => flat(facts.ext),
            Self::Folder => {
                facts.folder.iter().map(|name| flat(name)).collect::<Vec<_>>().join("/")
            }
            Self::Class => facts.class.word().to_owned(),
            Self::Album => facts.album.map(flat).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::taken::{Source, Zone};

    use super::*;

    fn facts(taken: bool) -> Facts<'static> {
        let noon = 1_715_515_200_000_000_000;
        Facts {
            taken: taken.then(|| Taken::from_parts(noon, Zone::Local, Source::Exif)),
            stem: "IMG_1",
            ext: "HEIC",
            folder: &[],
            class: MediaClass::Photo,
            album: Some("Me / You"),
        }
    }

    fn rendered(template: &str, taken: bool) -> String {
        let (folders, name) = Template::parse(template).unwrap().render(&facts(taken));
        format!("{}|{name}", folders.join("/"))
    }

    #[test]
    fn fields_are_filled_in() {
        assert_eq!(rendered("{taken:%Y}/{taken:%m}/{name}", true), "2024/05|IMG_1");
        assert_eq!(rendered("{taken:%Y/%m}/{stem}.{ext}", true), "2024/05|IMG_1");
        assert_eq!(
            rendered("{class}/{album}/{folder}/{taken:%d} {name}", true),
            "photo/Me _ You|12 IMG_1"
        );
        assert_eq!(rendered("{{x}}/{ext}-{stem}", true), "{x}|HEIC-IMG_1");
    }

    #[test]
    fn without_a_date_there_is_one_folder_for_it() {
        assert_eq!(rendered("{taken:%Y}/{taken:%m}/{name}", false), "undated|IMG_1");
        assert_eq!(rendered("x/{taken:%Y}/{taken:%H} {name}", false), "x/undated|undated IMG_1");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("/{name}", 0..1),
            ("a//{name}", 2..2),
            ("../{name}", 0..2),
            ("{nam}/{name}", 1..4),
            ("{taken:%Q}/{name}", 7..9),
            ("{name:x}", 5..7),
            ("{name", 0..5),
            ("a}/{name}", 1..2),
            ("{taken:%Y}/pictures", 11..19),
            ("a\\{name}", 1..2),
        ];
        for (text, at) in cases {
            let error = Template::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }
}
