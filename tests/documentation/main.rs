//! The texts of the project say what is true: snippets are valid, links lead somewhere, and what can be made
//! from the code is made from the code.
//!
//! Some parts of the texts stand between `<!-- made from … -->` and `<!-- end -->`. When one of them is out of
//! date, its test fails; `SAFELIGHT_BLESS=1 cargo test --test documentation` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod code_map;
mod made;
mod settings;

use std::path::{Path, PathBuf};

use safelight_config::{Config, Env};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All texts for people: at the top, in `docs/`, beside the benchmarks and examples.
fn texts() -> Vec<PathBuf> {
    let folders = ["", "docs", "bench", "examples/first"];
    let mut texts: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(root().join(folder)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    texts.sort();
    texts
}

/// The blocks that are fenced as exactly `language`, with the line each begins at.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, bool, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(word)) => open = Some((number + 1, word.trim() == language, String::new())),
            (Some(_), Some(_)) => {
                let (start, wanted, block) = open.take().unwrap();
                blocks.extend(wanted.then_some((start, block)));
            }
            (Some((_, _, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn every_config_in_the_texts_is_valid() {
    let env = Env::new("/data", [("HOME", "/home/anna")]);
    let mut checked = 0;
    for path in texts() {
        for (line, block) in blocks(&std::fs::read_to_string(&path).unwrap(), "toml") {
            let config = Config::parse(&block, Path::new("safelight.toml"), &env);
            assert!(config.is_ok(), "{}:{line}\n{}", path.display(), config.unwrap_err());
            checked += 1;
        }
    }
    assert!(checked >= 4, "only {checked} configs were found");
}

#[test]
fn links_between_the_texts_lead_somewhere() {
    for path in texts() {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{} links to {link}, which is not there", path.display());
        }
    }
}

#[test]
fn the_code_map_names_every_file_and_only_files_that_exist() {
    made::is_current("ARCHITECTURE.md", "the code", &code_map::markdown(root()));
}

#[test]
fn the_manual_names_every_setting_with_its_default() {
    let schema = safelight_config::schema();
    made::is_current("docs/configuration.md", "the settings", &settings::available(&schema));
    made::is_current("docs/configuration.md", "the later settings", &settings::later(&schema));
}
