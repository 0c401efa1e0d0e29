//! How references to secrets are written: `keyring:NAME`, `env:NAME`, `file:PATH`, `cmd:PROGRAM ARG...`,
//! `{ cmd = [...] }`, `systemd:NAME`.

use toml::Spanned;
use toml::de::DeValue;

use crate::place::Base;
use crate::secrets::SecretRef;

/// What to write instead of a secret.
pub(crate) const HELP: &str = "use keyring:NAME, env:NAME, file:PATH (mode 0600), systemd:NAME,\ncmd:PROGRAM ARG... or { cmd = [\"PROGRAM\", \"ARG\"] }";

const SCHEMES: [&str; 5] = ["keyring", "env", "file", "cmd", "systemd"];

/// Why a value is no usable reference.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is the secret itself, or may be.
    Plain,
    /// The scheme is good, the rest is not.
    Broken(&'static str),
}

/// Whether a text is meant as a reference.
pub(crate) fn looks_like_one(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
}

/// Reads a reference.
pub(crate) fn read(value: &DeValue<'_>, base: &Base) -> Result<SecretRef, Refused> {
    match value {
        DeValue::String(text) => from_text(text, base),
        DeValue::Table(table) => {
            let command = match (table.len(), table.get("cmd").map(Spanned::get_ref)) {
                (1, Some(DeValue::Array(nodes))) => {
                    let words = nodes.iter().map(|node| match node.get_ref() {
                        DeValue::String(word) => Some(word.to_string()),
                        _ => None,
                    });
                    words.collect::<Option<Vec<_>>>()
                }
                _ => None,
            };
            command
                .filter(|words| words.first().is_some_and(|program| !program.is_empty()))
                .map(SecretRef::Command)
                .ok_or(Refused::Broken(
                    "a reference in braces must be { cmd = [\"PROGRAM\", ...] }",
                ))
        }
        _ => Err(Refused::Plain),
    }
}

fn from_text(text: &str, base: &Base) -> Result<SecretRef, Refused> {
    let (scheme, rest) = text.split_once(':').ok_or(Refused::Plain)?;
    match scheme {
        "keyring" if rest.trim().is_empty() || rest.contains(char::is_control) => {
            Err(Refused::Broken("`keyring:` needs the name of an entry"))
        }
        "keyring" => Ok(SecretRef::Keyring(rest.to_owned())),
        "systemd" if matches!(rest, "" | "." | "..") || rest.contains(['/', '\0']) => {
            Err(Refused::Broken("`systemd:` needs the name of a credential"))
        }
        "systemd" => Ok(SecretRef::Systemd(rest.to_owned())),
        "env" if rest.is_empty() || rest.contains(['=', '\0', ' ']) => {
            Err(Refused::Broken("`env:` needs the name of a variable"))
        }
        "env" => Ok(SecretRef::Env(rest.to_owned())),
        "file" if rest.is_empty() => Err(Refused::Broken("`file:` needs a path")),
        "file" => base
            .resolve(rest)
            .map(SecretRef::File)
            .ok_or(Refused::Broken("`file:` needs a path that starts here, at / or at ~/")),
        "cmd" => {
            let words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            if words.is_empty() {
                Err(Refused::Broken("`cmd:` needs a program"))
            } else {
                Ok(SecretRef::Command(words))
            }
        }
        _ => Err(Refused::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_secrets() {
        let base = Base { folder: "/etc".into(), home: Some("/home/anna".into()) };
        let read = |text: &str| from_text(text, &base);
        assert_eq!(read("env:KEY"), Ok(SecretRef::Env("KEY".into())));
        assert_eq!(read("file:~/key"), Ok(SecretRef::File("/home/anna/key".into())));
        assert_eq!(read("file:key"), Ok(SecretRef::File("/etc/key".into())));
        let command = vec!["pass".to_owned(), "show".to_owned(), "s3".to_owned()];
        assert_eq!(read("cmd:pass  show s3"), Ok(SecretRef::Command(command)));
        assert_eq!(read("keyring:s3"), Ok(SecretRef::Keyring("s3".into())));
        assert_eq!(read("systemd:s3"), Ok(SecretRef::Systemd("s3".into())));
        assert_eq!(read("hunter2"), Err(Refused::Plain));
        assert_eq!(read("sl.B1:x"), Err(Refused::Plain));
        for broken in ["env:", "file:", "cmd: ", "env:A=B", "keyring: ", "systemd:", "systemd:../x"]
        {
            assert!(matches!(read(broken), Err(Refused::Broken(_))), "{broken}");
        }
    }
}
