//! What taking over a destination found.

use safelight_core::adopt::Adopted;
use safelight_core::error::Error;
use safelight_core::key::{Key, printable};
use serde_json::{Value, json};

use super::key;
use super::text::{count, files, size};

/// Most names of a kind that are printed.
const NAMED: usize = 20;

/// For people.
pub fn text(name: &str, adopted: &Adopted) -> String {
    let mut text = format!(
        "{name}   {} equal to the library, now recorded as copies ({})\n",
        files(adopted.equal.files),
        size(adopted.equal.bytes)
    );
    let mut list = |number: u64, what: &str, keys: &[Key]| {
        if number == 0 {
            return;
        }
        text += &format!("\n{} {what}\n", files(number));
        for key in keys.iter().take(NAMED) {
            text += &format!("  {key}\n");
        }
        let shown = keys.len().min(NAMED) as u64;
        if number > shown {
            text += &format!("  and {} more\n", count(number - shown));
        }
    };
    list(
        adopted.differs_count,
        "with other content than in the library, left as they are",
        &adopted.differs,
    );
    list(
        adopted.foreign_count,
        "that the library does not have, left as they are",
        &adopted.foreign,
    );
    for (key, error) in &adopted.problems {
        let key = key.as_ref().map_or(String::new(), |key| format!("{key}   "));
        let message = printable(error.to_string().as_bytes());
        text += &format!("  {key}{message}   [{}]\n", error.id());
    }
    text
}

/// For programs.
pub fn json(name: &str, adopted: &Adopted) -> Value {
    let keys = |keys: &[Key]| -> Vec<Value> {
        let object = |key: &Key| {
            let mut object = json!({});
            key::put(&mut object, key);
            object
        };
        keys.iter().map(object).collect()
    };
    let problem = |(key, error): &(Option<Key>, Error)| {
        let mut object = json!({ "code": error.id(), "message": error.to_string() });
        if let Some(key) = key {
            key::put(&mut object, key);
        }
        object
    };
    json!({
        "destination": name, "equal": adopted.equal,
        "differs": adopted.differs_count, "differing": keys(&adopted.differs),
        "foreign": adopted.foreign_count, "foreign_files": keys(&adopted.foreign),
        "problems": adopted.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}
