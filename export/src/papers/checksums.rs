//! `CHECKSUMS.sha256`: what `sha256sum -c` reads, on every machine there is.

use std::sync::Arc;

use safelight_core::key::Key;

use super::{Paper, Payload};

/// The paper's name.
pub const NAME: &str = "CHECKSUMS.sha256";

/// A line for each file.
pub fn paper(payload: &Arc<Vec<Payload>>) -> Option<Paper> {
    Key::new(NAME).ok().map(|key| Paper::of_files(key, payload, line))
}

/// Backslashes and line ends are escaped, and a backslash at the beginning of the line says so.
fn line(file: &Payload) -> Vec<u8> {
    let escape = |byte| match byte {
        b'\\' => Some("\\\\"),
        b'\n' => Some("\\n"),
        b'\r' => Some("\\r"),
        _ => None,
    };
    let escaped = file.key.as_bytes().iter().any(|byte| escape(*byte).is_some());
    let line = file.line(escape);
    if escaped { [b"\\".as_slice(), &line].concat() } else { line }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_escaped_as_sha256sum_does() {
        let file = |name: &str| Payload { key: Key::new(name).unwrap(), size: 1, sha256: [1; 32] };
        let digest = "01".repeat(32);
        assert_eq!(line(&file("a b.jpg")), format!("{digest}  a b.jpg\n").into_bytes());
        assert_eq!(line(&file("a\\\n.jpg")), format!("\\{digest}  a\\\\\\n.jpg\n").into_bytes());
    }
}
