//! Which fields may be asked for, where, and how.

use super::{Filter, Pattern};

/// Which listing is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::amazon) enum Place {
    Nodes,
    Search,
}

const SEARCH_ONLY: &[&str] = &[
    "type",
    "things",
    "timeYear",
    "timeMonth",
    "timeDay",
    "location",
    "people",
    "clusterId",
    "favorite",
    "hidden",
];
const EVERYWHERE: &[&str] = &[
    "isRoot",
    "name",
    "kind",
    "status",
    "parents",
    "parentIds",
    "labels",
    "description",
    "createdDate",
    "modifiedDate",
    "contentProperties.size",
    "contentProperties.contentType",
    "contentProperties.md5",
    "contentProperties.contentDate",
    "contentProperties.extension",
];
const RANGES: &[&str] = &["contentProperties.contentDate", "createdDate", "modifiedDate"];
const PREFIXES: &[&str] = &["contentProperties.contentType", "name", "kind", "status"];

/// Whether `filter` may be asked there; why not.
pub(in crate::amazon) fn check(filter: &Filter, place: Place) -> Result<(), String> {
    for (field, pattern) in filter.fields() {
        let known =
            EVERYWHERE.contains(&field) || (place == Place::Search && SEARCH_ONLY.contains(&field));
        if !known {
            return Err(format!("unknown field {field}"));
        }
        let may = match pattern {
            Pattern::Exactly(value) => field != "isRoot" || value == "true",
            Pattern::Prefix(_) => PREFIXES.contains(&field),
            Pattern::Range { .. } => RANGES.contains(&field),
        };
        if !may {
            return Err(format!("field {field} cannot be compared so"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amazon::filter::parse;

    #[test]
    fn not_everything_can_be_asked_everywhere() {
        let ask = |text: &str, place| parse(text).and_then(|filter| check(&filter, place)).is_ok();
        assert!(ask("type:(PHOTOS OR VIDEOS) AND timeYear:(2023)", Place::Search));
        assert!(!ask("type:(PHOTOS)", Place::Nodes));
        assert!(ask("isRoot:true", Place::Nodes) && !ask("isRoot:TRUE", Place::Nodes));
        assert!(!ask("contentProperties.md5:ab*", Place::Nodes));
        assert!(!ask("colour:red", Place::Search));
        assert!(!ask(r"name:[* TO *]", Place::Nodes));
    }
}
