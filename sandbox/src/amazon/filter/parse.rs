//! Reads a filter, as strictly as is known of the service: special characters in bare values must be escaped.

use std::iter::Peekable;
use std::str::Chars;

use super::{Filter, Pattern};
use crate::amazon::dates;

/// At most so many fields may be named.
const MOST_FIELDS: usize = 8;
/// Brackets within brackets.
const DEEPEST: usize = 16;
const SPECIAL: &str = "+-&|!(){}[]^'\"~*?:\\";

/// The filter, or why it makes no sense.
pub(in crate::amazon) fn parse(text: &str) -> Result<Filter, String> {
    let mut reader = Reader { rest: text.chars().peekable(), fields: 0, depth: 0 };
    let filter = reader.any(None)?;
    match reader.next_visible() {
        Some(c) => Err(format!("unexpected '{c}'")),
        None if reader.fields > MOST_FIELDS => {
            Err(format!("more than {MOST_FIELDS} filter parameters"))
        }
        None => Ok(filter),
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    fields: usize,
    depth: usize,
}

impl Reader<'_> {
    fn next_visible(&mut self) -> Option<char> {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
        self.rest.peek().copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        self.next_visible();
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(format!("'{wanted}' is missing")) }
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.next_visible();
        let mut ahead = self.rest.clone();
        let is_word = word.chars().all(|c| ahead.next() == Some(c));
        let ends = ahead.peek().is_none_or(|c| c.is_whitespace() || *c == '(');
        if is_word && ends {
            self.rest = ahead;
        }
        is_word && ends
    }

    /// Alternatives; within `field:( ... )` the leaves are values.
    fn any(&mut self, field: Option<&str>) -> Result<Filter, String> {
        let mut parts = vec![self.all(field)?];
        while self.keyword("OR") {
            parts.push(self.all(field)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self, field: Option<&str>) -> Result<Filter, String> {
        let mut parts = vec![self.part(field)?];
        while self.keyword("AND") {
            parts.push(self.part(field)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn part(&mut self, field: Option<&str>) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("nested too deeply".to_owned());
        }
        let part = if self.keyword("NOT") {
            Filter::Not(Box::new(self.part(field)?))
        } else if self.take('(') {
            let inner = self.any(field)?;
            self.expect(')')?;
            inner
        } else if let Some(field) = field {
            Filter::Field(field.to_owned(), self.value()?)
        } else {
            self.field()?
        };
        self.depth -= 1;
        Ok(part)
    }

    fn field(&mut self) -> Result<Filter, String> {
        self.next_visible();
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '.') {
            name.push(c);
        }
        if name.is_empty() || self.rest.next_if_eq(&':').is_none() {
            return Err(format!("a field and ':' are missing near '{name}'"));
        }
        self.fields += 1;
        if self.take('(') {
            let values = self.any(Some(&name))?;
            self.expect(')')?;
            return Ok(values);
        }
        let pattern = self.value()?;
        Ok(Filter::Field(name, pattern))
    }

    fn value(&mut self) -> Result<Pattern, String> {
        match self.next_visible() {
            Some('"') => self.quoted().map(Pattern::Exactly),
            Some('[') => self.range('[', ']'),
            Some('{') => self.range('{', '}'),
            _ => self.bare(),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.extend(self.rest.next()),
                Some(c) => text.push(c),
                None => return Err("a quotation mark is missing".to_owned()),
            }
        }
    }

    fn bare(&mut self) -> Result<Pattern, String> {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| !c.is_whitespace() && *c != ')') {
            match c {
                '\\' => text.push(self.rest.next().ok_or("nothing behind '\\'")?),
                '*' => {
                    let ends = self.rest.peek().is_none_or(|c| c.is_whitespace() || *c == ')');
                    let prefix = ends && !text.is_empty();
                    return prefix
                        .then_some(Pattern::Prefix(text))
                        .ok_or("'*' out of place".into());
                }
                c if SPECIAL.contains(c) => return Err(format!("'{c}' must be escaped")),
                c => text.push(c),
            }
        }
        if text.is_empty() { Err("a value is missing".into()) } else { Ok(Pattern::Exactly(text)) }
    }

    fn range(&mut self, open: char, close: char) -> Result<Pattern, String> {
        self.expect(open)?;
        let from = self.end()?;
        if !self.keyword("TO") {
            return Err("TO is missing".to_owned());
        }
        let to = self.end()?;
        self.expect(close)?;
        Ok(Pattern::Range { from, to, inclusive: open == '[' })
    }

    fn end(&mut self) -> Result<Option<String>, String> {
        if self.take('*') {
            return Ok(None);
        }
        let date = self.quoted()?;
        let millis = dates::read(&date).ok_or_else(|| format!("no date: {date}"))?;
        Ok(Some(dates::text(millis)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(filter: &str, fields: &[(&str, &str)]) -> bool {
        let owned: Vec<_> = fields.iter().map(|(name, v)| ((*name), (*v).to_owned())).collect();
        let values = |wanted: &str| {
            let of = owned.iter().filter(|(name, _)| *name == wanted);
            of.map(|(_, value)| value.clone()).collect()
        };
        parse(filter).is_ok_and(|filter| filter.fits(&values))
    }

    #[test]
    fn filters_are_understood() {
        let node = [
            ("kind", "FILE"),
            ("name", "A (1) 'x'.jpg"),
            ("createdDate", "2020-01-02T00:00:00.000Z"),
        ];
        for good in [
            "kind:FILE",
            "kind:(FILE* OR FOLDER*)",
            "kind:(FOLDER OR NOT FOLDER)",
            "NOT kind:FOLDER AND (kind:FOLDER OR kind:FIL*)",
            r#"name:"a (1) 'X'.jpg""#,
            r"name:A\ \(1\)\ \'x\'.jpg",
            r"name:A\ *",
            r#"createdDate:["2020-01-02T00:00:00Z" TO *]"#,
            r#"createdDate:{* TO "2020-01-02T00:00:00.001Z"}"#,
        ] {
            assert!(fits(good, &node), "{good}");
        }
        for bad in [
            "kind:FOLDER",
            "kind:FIL",
            "NOT kind:FILE",
            r#"createdDate:{"2020-01-02T00:00:00Z" TO *}"#,
            "kind:FILE AND name:B OR kind:FOLDER",
        ] {
            assert!(parse(bad).is_ok() && !fits(bad, &node), "{bad}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let nine = ["kind:FILE"; 9].join(" OR ");
        let deep = format!("{}kind:FILE{}", "(".repeat(40), ")".repeat(40));
        for bad in [
            "",
            "kind",
            "kind:",
            "kind:FILE status:TRASH",
            "kind:(FILE",
            "kind:FILE)",
            "name:a-b",
            "name:*a",
            "name:a*b",
            r#"name:"a"#,
            "AND",
            "kind:FILE AND",
            "kind:[a TO b]",
            r#"createdDate:["yesterday" TO *]"#,
            &nine,
            &deep,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&["kind:FILE"; 8].join(" OR ")).is_ok());
    }
}
