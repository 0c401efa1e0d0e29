//! The code map: every source file, with the first sentence of its own description.

use std::fs;
use std::path::Path;

/// The source folders in reading order.
const FOLDERS: &[&str] = &[
    "core/src",
    "config/src",
    "catalog/src",
    "media/src",
    "export/src",
    "providers/disk/src",
    "providers/object/src",
    "providers/dropbox/src",
    "providers/amazon-photos/src",
    "providers/all/src",
    "http/src",
    "sandbox/src",
    "testkit/src",
    "bench/src",
    "src",
];

/// A list per folder.
pub fn markdown(root: &Path) -> String {
    let list = |folder: &&str| {
        let mut files = Vec::new();
        collect(&root.join(folder), "", &mut files);
        // What a folder is about comes before what is in it.
        files.sort_by_key(|(name, _)| {
            let first = name.replace("lib.rs", "").replace("main.rs", "").replace("mod.rs", "");
            (name.contains('/'), first)
        });
        let lines = files.iter().map(|(name, about)| format!("* `{name}` {about}\n"));
        format!("### `{folder}/`\n\n{}\n", lines.collect::<String>())
    };
    FOLDERS.iter().map(list).collect()
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push((name, first_sentence(&path)));
        }
    }
}

fn first_sentence(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = lines.join(" ");
    assert!(!paragraph.is_empty(), "{} does not say what it is about", path.display());
    let sentence = paragraph.split(". ").next().unwrap().trim_end_matches('.');
    format!("{}.", without_links(sentence))
}

/// A link around a `name` becomes the name: what a name leads to is for rustdoc. Other brackets stay.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, behind) = after.split_once("`]").expect("the end of a link");
        plain.extend([before, "`", name, "`"]);
        rest = match behind.strip_prefix('(') {
            Some(target) => target.split_once(')').expect("the end of a target").1,
            None => behind,
        };
    }
    plain + rest
}
