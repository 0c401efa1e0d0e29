//! Names of files in JSON: the harmless form that people see, and the exact bytes where that form is not exact.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use safelight_core::key::Key;
use serde_json::{Map, Value, json};

/// Adds `path` to an object, and `path_base64` where the name is not UTF-8.
pub fn put(object: &mut Value, key: &Key) {
    let Some(object) = object.as_object_mut() else { return };
    put_into(object, key);
}

fn put_into(object: &mut Map<String, Value>, key: &Key) {
    object.insert("path".to_owned(), json!(key.to_string()));
    if key.as_str().is_none() {
        object.insert("path_base64".to_owned(), json!(STANDARD.encode(key.as_bytes())));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn exact_bytes_are_added_only_where_text_is_not_exact() {
        let mut plain = json!({});
        put(&mut plain, &Key::new("a/é.jpg").unwrap());
        assert_eq!(plain, json!({ "path": "a/é.jpg" }));
        let mut odd = json!({});
        put(&mut odd, &Key::new(b"a/\xff.jpg").unwrap());
        assert_eq!(odd, json!({ "path": "a/\\xff.jpg", "path_base64": "YS//LmpwZw==" }));
    }
}
