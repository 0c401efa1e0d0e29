//! Filters and queries: how values are written so that they mean themselves.

/// Letters with a meaning of their own in filters.
const SPECIAL: &str = "+-&|!(){}[]^'\"~*?:\\";

/// What stands in a folder.
pub(crate) fn in_folder(folder: &str) -> String {
    format!("parents:\"{folder}\"")
}

/// Albums.
pub(crate) const ALBUMS: &str = "kind:VISUAL_COLLECTION";

/// What is in the trash, as the web app asks for it.
pub(crate) const TRASHED: &str = "kind:(FILE* OR FOLDER*) AND status:(TRASH*)";

/// What was made then or later. The date was checked by whoever read it.
pub(crate) fn since(date: &str) -> String {
    format!("createdDate:[\"{date}\" TO *]")
}

/// What has this name in a folder. Kinds are told apart by whoever asks: several of them together with a folder once
/// found nothing.
pub(crate) fn named(folder: &str, name: &str) -> String {
    format!("parents:\"{folder}\" AND name:{}", value(name))
}

/// With these bytes, wherever it stands.
pub(crate) fn with_md5(md5: [u8; 16]) -> String {
    format!("kind:FILE AND contentProperties.md5:{}", hex::encode(md5))
}

/// A value that is compared as it is.
fn value(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    if matches!(text, "AND" | "OR" | "NOT" | "TO") {
        out.push('\\');
    }
    for c in text.chars() {
        if SPECIAL.contains(c) || c.is_whitespace() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// `a=b&c=d`, everything escaped that is not a plain letter.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, text) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push('%');
                out.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_themselves() {
        for (name, written) in [
            ("IMG_1.jpg", "IMG_1.jpg"),
            ("a b (1).jpg", r"a\ b\ \(1\).jpg"),
            ("\"x\" OR kind:FILE*", r#"\"x\"\ OR\ kind\:FILE\*"#),
            ("back\\slash", r"back\\slash"),
            ("été\u{3000}", "été\\\u{3000}"),
            ("NOT", r"\NOT"),
        ] {
            assert_eq!(value(name), written);
        }
    }

    #[test]
    fn queries_carry_any_text() {
        let written = query(&[("name", "a&b=c d%.jpg"), ("sort", "['name ASC']")]);
        assert_eq!(written, "name=a%26b%3Dc%20d%25.jpg&sort=%5B%27name%20ASC%27%5D");
    }
}
