//! `CHECKSUMS.sha256`: what `sha256sum -c` reads, on every machine there is.

use std::sync::Arc;

use safelight_core::key::Key;

use super::{Paper, Payload};

/// The paper's name.
pub const NAME: &str = "CHECKSUMS.sha256";

/// A line for each file.
pub fn paper(payload: &Arc<Vec<Payload>>) -> Option<Paper> {
    let payload = Arc::clone(payload);
    let lines = move || {
        let payload = Arc::clone(&payload);
        Box::new((0..payload.len()).map(move |at| line(&payload[at]))) as super::Lines
    };
    Key::new(NAME).ok().map(|key| Paper::new(key, lines))
}

/// Backslashes and line ends are escaped, and a backslash at the beginning of the line says so.
fn line(file: &Payload) -> Vec<u8> {
    let name = file.key.as_bytes();
    let escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let mut line = Vec::with_capacity(name.len() + 68);
    if escaped {
        line.push(b'\\');
    }
    line.extend_from_slice(hex::encode(file.sha256).as_bytes());
    line.extend_from_slice(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
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
