//! The tables of settings in the manual, made from the schema of the config file.

use serde_json::Value;

const LATER: &str = " Not available yet.";
/// Tables that people read in this order and not by the alphabet.
const FIRST: &[&str] = &["library", "safety", "destination", "job"];

/// One table of settings per table of the config file; tables with the same settings share one.
pub fn available(schema: &Value) -> String {
    let mut tables: Vec<(Vec<String>, String)> = Vec::new();
    walk(schema, &Place::default(), &mut |place, rows| {
        let rows: String = rows.iter().filter(|row| !row.later).map(Row::line).collect();
        let title = place.title();
        match tables.iter_mut().find(|(_, told)| *told == rows) {
            _ if rows.is_empty() => {}
            Some((titles, _)) if titles.contains(&title) => {}
            Some((titles, _)) => titles.push(title),
            None => tables.push((vec![title], rows)),
        }
    });
    let head = "| setting | meaning | values | default |\n|---|---|---|---|";
    let text = |(titles, rows): &(Vec<String>, String)| {
        format!("### {}\n\n{head}\n{rows}\n", titles.join(", "))
    };
    tables.iter().map(text).collect()
}

/// What is known and refused.
pub fn later(schema: &Value) -> String {
    let mut lines = Vec::new();
    walk(schema, &Place::default(), &mut |place, rows| {
        for Row { name, help, .. } in rows.iter().filter(|row| row.later) {
            lines.push(format!("* `{name}` in {}: {help}\n", place.title()));
        }
    });
    for (name, tag) in [("destination", "type"), ("job", "kind")] {
        for kind in kinds(&schema["properties"][name]["additionalProperties"]) {
            let help = kind["description"].as_str().unwrap_or_default();
            if let Some(help) = help.strip_suffix(LATER) {
                let word = kind["properties"][tag]["const"].as_str().unwrap();
                lines.push(format!("* `{tag} = \"{word}\"` in `[{name}.NAME]`: {help}\n"));
            }
        }
    }
    lines.concat()
}

/// Where a table stands in the file.
#[derive(Default)]
struct Place {
    path: String,
    /// There may be several, written `[[path]]`.
    many: bool,
    /// The setting that decides which settings there are, and its value.
    kind: Option<String>,
}

impl Place {
    fn title(&self) -> String {
        let path = &self.path;
        match &self.kind {
            _ if path.is_empty() => "the top level".to_owned(),
            Some(kind) => format!("`[{path}]` with `{kind}`"),
            None if self.many => format!("`[[{path}]]`"),
            None => format!("`[{path}]`"),
        }
    }
}

struct Row {
    name: String,
    help: String,
    values: String,
    default: String,
    later: bool,
}

impl Row {
    fn line(&self) -> String {
        let Self { name, help, values, default, .. } = self;
        format!("| `{name}` | {help} | {values} | {default} |\n")
    }
}

fn kinds(table: &Value) -> impl Iterator<Item = &Value> {
    table["oneOf"].as_array().into_iter().flatten()
}

/// Hands each table to `tell`, the outer before the inner.
fn walk(table: &Value, place: &Place, tell: &mut dyn FnMut(&Place, &[Row])) {
    let Some(settings) = table["properties"].as_object() else { return };
    let required = |name: &str| {
        table["required"].as_array().into_iter().flatten().any(|required| required == name)
    };
    let rows: Vec<Row> = settings
        .iter()
        .filter(|(_, setting)| inner(setting).is_none() || is_later(setting))
        // The title says which kind this is.
        .filter(|(_, setting)| setting.get("const").is_none())
        .map(|(name, setting)| row(name, setting, required(name)))
        .collect();
    tell(place, &rows);
    let mut tables: Vec<_> = settings.iter().filter(|(_, setting)| !is_later(setting)).collect();
    tables.sort_by_key(|(name, _)| FIRST.iter().position(|first| first == name));
    for (name, setting) in tables {
        let Some((inside, named, many)) = inner(setting) else { continue };
        let dot = if place.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{name}{}", place.path, if named { ".NAME" } else { "" });
        if inside["oneOf"].is_null() {
            walk(inside, &Place { path, many, kind: None }, tell);
            continue;
        }
        let tag = if name == "destination" { "type" } else { "kind" };
        for kind in kinds(inside).filter(|kind| !is_later(kind)) {
            let word = format!("{tag} = {}", kind["properties"][tag]["const"]);
            walk(kind, &Place { path: path.clone(), many, kind: Some(word) }, tell);
        }
    }
}

/// The table inside a setting; whether its names are the user's; whether there may be several.
fn inner(setting: &Value) -> Option<(&Value, bool, bool)> {
    let is_table = |value: &Value| value["properties"].is_object() || value["oneOf"].is_array();
    if is_table(setting) {
        Some((setting, false, false))
    } else if is_table(&setting["additionalProperties"]) {
        Some((&setting["additionalProperties"], true, false))
    } else if is_table(&setting["items"]) {
        Some((&setting["items"], false, true))
    } else {
        None
    }
}

fn is_later(setting: &Value) -> bool {
    setting["description"].as_str().is_some_and(|help| help.ends_with(LATER))
}

fn row(name: &str, setting: &Value, required: bool) -> Row {
    let help = setting["description"].as_str().unwrap_or_default();
    let help = help.strip_suffix(LATER).unwrap_or(help).replace('|', "\\|");
    let default = match &setting["default"] {
        Value::Null if required => "must be set".to_owned(),
        Value::Null => String::new(),
        value => format!("`{value}`"),
    };
    Row {
        name: name.to_owned(),
        help,
        values: values(setting).replace('|', "\\|"),
        default,
        later: is_later(setting),
    }
}

fn values(setting: &Value) -> String {
    let list = |values: &Value, between: &str| {
        let words = values.as_array().into_iter().flatten().map(|word| format!("`{word}`"));
        words.collect::<Vec<_>>().join(between)
    };
    if setting["enum"].is_array() {
        return list(&setting["enum"], ", ");
    }
    let anything = setting["pattern"] == "[^ ]";
    if setting["examples"].is_array() && !anything {
        return format!("such as {}", list(&setting["examples"], ", "));
    }
    if let Some(choices) = setting["anyOf"].as_array() {
        if choices[0]["enum"].is_array() {
            return format!("{}, or a table", list(&choices[0]["enum"], ", "));
        }
        if choices.get(1).is_some_and(|choice| choice["type"] == "array") {
            return format!("{}, or a list", values(&choices[0]));
        }
        let reference = choices[0]["pattern"].is_string();
        return if reference { "a secret's place" } else { "text, or a secret's place" }.to_owned();
    }
    match setting["type"].as_str() {
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer") => match (&setting["minimum"], &setting["maximum"]) {
            (least, most) if least == most => format!("`{least}`"),
            (least, Value::Null) => format!("a number from {least}"),
            (least, most) => format!("a number, {least} to {most}"),
        },
        Some("array") => format!("a list: {}", values(&setting["items"])),
        Some("object") => format!("by name: {}", values(&setting["additionalProperties"])),
        _ => "text".to_owned(),
    }
}
