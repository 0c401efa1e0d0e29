//! The JSON Schema of the config file, for editors: made from the same definitions as the reader.

use serde_json::{Map, Value, json};

use crate::definition::{Form, Setting, Variants};
use crate::settings::ROOT;

/// The schema (JSON Schema 2020-12). Settings that are not available yet are in it and say so; references
/// between settings, paths and numbers are checked only by reading the file.
pub fn schema() -> Value {
    let mut schema = table(ROOT.iter());
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Safelight config file");
    schema
}

fn table<'a>(settings: impl Iterator<Item = &'a Setting>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for setting in settings {
        properties.insert(setting.name.to_owned(), property(setting));
        if setting.required {
            required.push(setting.name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(setting: &Setting) -> Value {
    let mut schema = form(&setting.form);
    let later = if setting.later { " Not available yet." } else { "" };
    schema["description"] = json!(format!("{}{later}", setting.help));
    let default =
        setting.default.and_then(|text| format!("x = {text}").parse::<toml::Table>().ok());
    if let Some(default) = default.and_then(|mut table| table.remove("x")) {
        schema["default"] = json!(default);
    }
    schema
}

fn form(form: &Form) -> Value {
    match form {
        Form::Flag => json!({ "type": "boolean" }),
        Form::Count(least, u64::MAX) => json!({ "type": "integer", "minimum": least }),
        Form::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Text | Form::Path => json!({ "type": "string" }),
        Form::Words(words) => {
            json!({ "type": "string", "pattern": words.pattern, "examples": words.examples })
        }
        Form::Choice(words) => {
            let words: Vec<&str> = words.iter().map(|word| word.text).collect();
            json!({ "enum": words })
        }
        Form::ChoiceOrTable(words, settings) => {
            json!({ "anyOf": [self::form(&Form::Choice(words)), table(settings.iter())] })
        }
        Form::Secret => json!({ "anyOf": [
            { "type": "string", "pattern": "^(env|file|cmd|keyring|systemd):." },
            command_reference(),
        ] }),
        Form::TextOrSecret => json!({ "anyOf": [{ "type": "string" }, command_reference()] }),
        Form::List(inner) => json!({ "type": "array", "items": self::form(inner) }),
        Form::OneOrMore(inner) => {
            json!({ "anyOf": [self::form(inner), self::form(&Form::List(inner))] })
        }
        Form::Table(settings) => table(settings.iter()),
        Form::Named(inner) => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9_-]+$" },
            "additionalProperties": self::form(inner),
        }),
        Form::Variants(variants) => self::variants(variants),
    }
}

fn command_reference() -> Value {
    json!({
        "type": "object",
        "properties": { "cmd": { "type": "array", "items": { "type": "string" }, "minItems": 1 } },
        "required": ["cmd"],
        "additionalProperties": false,
    })
}

fn variants(variants: &Variants) -> Value {
    let kinds = variants.kinds.iter().map(|kind| {
        let mut schema = table(variants.settings(kind));
        let later = if kind.later { " Not available yet." } else { "" };
        schema["description"] = json!(format!("{}{later}", kind.help));
        schema["properties"][variants.tag] = json!({ "const": kind.word });
        if variants.default != Some(kind.word)
            && let Some(required) = schema["required"].as_array_mut()
        {
            required.insert(0, json!(variants.tag));
        }
        schema
    });
    json!({ "oneOf": kinds.collect::<Vec<Value>>() })
}
