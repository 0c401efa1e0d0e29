//! `a=b&c=d`, as in query strings and forms.

use std::collections::BTreeMap;

/// The fields of a form; of a repeated one the last counts.
pub(super) fn fields(form: &str) -> BTreeMap<String, String> {
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Takes the percent signs out; what is no UTF-8 becomes U+FFFD.
fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let mut byte = [0];
                if hex::decode_to_slice([*high, *low], &mut byte).is_ok() {
                    bytes.push(byte[0]);
                    rest = after;
                } else {
                    bytes.push(b'%');
                }
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Puts percent signs in wherever a character is not plain.
pub(super) fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_written() {
        let read = fields("a=b+c%20d&empty=&%C3%A4=%e2%82%ac&odd=%zz%");
        assert_eq!(read["a"], "b c d");
        assert_eq!(read["empty"], "");
        assert_eq!(read["ä"], "€");
        assert_eq!(read["odd"], "%zz%");
        assert_eq!(encode("a b/ä~"), "a%20b%2F%C3%A4~");
    }
}
