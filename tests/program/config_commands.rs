//! `safelight config` and `safelight explain`.

use std::path::Path;

use crate::home::{CLOUD, Home, TWO_DISKS};

#[test]
fn check_says_that_a_config_is_right_and_every_example_is() {
    let mut home = Home::new(TWO_DISKS);
    let out = home.good(["config", "check"]);
    assert!(out.contains("safelight.toml is correct: 2 destinations, 1 mirror job."), "{out}");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut configs: Vec<_> = std::fs::read_dir(examples.join("config")).unwrap().collect();
    assert!(configs.len() >= 3);
    configs.extend(std::fs::read_dir(examples.join("first")).unwrap());
    for path in configs.into_iter().map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "toml") {
            home.use_config(&path);
            let checked = home.run(["config", "check"]);
            assert_eq!(checked.exit, 0, "{}: {checked:?}", path.display());
        }
    }
}

#[test]
fn show_prints_defaults_and_where_each_value_comes_from() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    let shown = home.good(["config", "show"]);
    assert!(shown.contains("copies = 2") && shown.contains("[job.mirror"), "{shown}");
    let origin = home.good(["config", "show", "--origin"]);
    assert!(origin.contains("safelight.toml:") && origin.contains("default"), "{origin}");
    // What was printed is a config that means the same.
    home.write("again.toml", &shown);
    let mut again = home;
    again.use_config("again.toml");
    assert_eq!(again.good(["config", "show"]), shown);
}

#[test]
fn schema_is_json_redacted_hides_and_path_tells() {
    let home = Home::new(&format!("{TWO_DISKS}{CLOUD}"));
    let schema = home.run(["config", "schema"]).json();
    assert!(schema["properties"]["destination"].is_object(), "{schema}");
    let redacted = home.good(["config", "redacted"]);
    let folder = home.path("");
    assert!(!redacted.contains(folder.to_str().unwrap()), "{redacted}");
    let paths = home.good(["config", "path"]);
    assert!(paths.contains(home.path("safelight.toml").to_str().unwrap()), "{paths}");
    assert!(paths.contains(home.path("state").to_str().unwrap()), "{paths}");
}

#[test]
fn every_code_is_explained() {
    let home = Home::bare();
    let pages = safelight_core::codes::PAGES.iter().chain(safelight_config::codes::PAGES);
    for page in pages {
        let out = home.good(["explain", page.code.0]);
        assert!(out.contains(page.title) && out.contains(page.code.0), "{out}");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&out).contains(&words(page.text)), "{out}");
    }
    let unknown = home.run(["explain", "destination/ful"]);
    assert_ne!(unknown.exit, 0);
}
