//! The shapes that JSON takes in this API: unions, summaries of errors, header-safe text, dates.

use std::fmt::Write;

use safelight_core::time::Timestamp;
use serde_json::{Map, Value, json};

/// A union member without a value.
pub(super) fn tag(name: &str) -> Value {
    json!({ ".tag": name })
}

/// A union member that is itself a union.
pub(super) fn nested(name: &str, inner: impl Into<Value>) -> Value {
    let mut outer = Map::new();
    outer.insert(".tag".to_owned(), name.into());
    outer.insert(name.to_owned(), inner.into());
    outer.into()
}

/// A union member that is a struct: its fields stand beside the tag.
pub(super) fn flat(name: &str, mut fields: Value) -> Value {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(".tag".to_owned(), name.into());
    }
    fields
}

/// The same struct where its type is clear from the place.
pub(super) fn untagged(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(".tag");
    }
    value
}

/// The tags of an error from outside to inside, as in `path/conflict/file/`.
pub(super) fn summary(error: &Value) -> String {
    let (mut text, mut at) = (String::new(), error);
    while let Some(name) = at.get(".tag").and_then(Value::as_str) {
        text.push_str(name);
        text.push('/');
        // One struct calls its inner union by another name than its tag.
        match at.get(name).or_else(|| at.get("reason")) {
            Some(inner) => at = inner,
            None => break,
        }
    }
    text
}

/// JSON that a header can carry: everything beyond printable ASCII is escaped.
pub(super) fn header_safe(value: &Value) -> String {
    let mut safe = String::new();
    for unit in value.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ 0x20..=0x7e) => safe.push(char::from(byte)),
            _ => {
                // Writing into a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}

/// `2015-05-12T15:50:38Z`.
pub(super) fn date(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds()).unwrap_or_default().to_string()
}

/// Whether `text` is a date exactly as [`date`] writes it.
pub(super) fn is_date(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok_and(|time| {
        time.subsec_nanosecond() == 0 && time.to_string() == text && text.len() == 20
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_carry_ascii_only() {
        let name = json!({"name": "Zürich \u{7f}\u{1f600}"});
        assert_eq!(header_safe(&name), r#"{"name":"Z\u00fcrich \u007f\ud83d\ude00"}"#);
    }

    #[test]
    fn a_summary_names_every_tag() {
        let error = nested("path", nested("conflict", tag("file")));
        assert_eq!(summary(&error), "path/conflict/file/");
        let upload = json!({".tag": "path", "reason": {".tag": "insufficient_space"}});
        assert_eq!(summary(&upload), "path/insufficient_space/");
    }

    #[test]
    fn dates_have_whole_seconds_and_end_in_z() {
        assert_eq!(date(Timestamp::from_parts(1_431_445_838, 5)), "2015-05-12T15:50:38Z");
        assert!(is_date("2015-05-12T15:50:38Z"));
        for bad in ["2015-05-12T15:50:38.5Z", "2015-05-12T15:50:38+00:00", "2015-05-12", ""] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
