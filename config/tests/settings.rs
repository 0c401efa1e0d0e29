//! What right files mean: defaults, types, paths, and how they are shown.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{good, with};
use safelight_config::units::{Amount, ByteSize};
use safelight_config::{
    Config, DiskPlace, Endpoint, Guard, OptionValue, Origin, PoolLimit, Propagate, SecretRef,
    Storage, WhenFull, schema,
};

const DAY: Duration = Duration::from_hours(24);

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/config").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn examples() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/config");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    assert!(files.len() >= 3);
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_smallest_file_has_every_default() {
    let config = good(&example("minimal.toml"));
    assert_eq!(config.version, 1);
    assert_eq!(config.library.name, "Pictures");
    assert_eq!(config.library.path, Path::new("/home/anna/Pictures"));
    assert_eq!(config.library.settle, Duration::ZERO);
    assert!(config.library.filter.rules.is_empty() && !config.library.filter.hidden);
    assert!(config.state.starts_with("/home/anna/.local/state/safelight"));
    assert!(config.state.file_name().unwrap().to_str().unwrap().starts_with("Pictures-"));

    let safety = config.safety;
    assert_eq!((safety.copies, safety.offsite), (2, 0));
    assert_eq!((safety.checked, safety.grace), (180 * DAY, 2 * DAY));

    let [disk] = config.destinations.as_slice() else { panic!() };
    assert!(!disk.offsite && !disk.removable && disk.pools.is_empty());
    assert_eq!(disk.overdue, 14 * DAY);
    let Storage::Disk(settings) = &disk.storage else { panic!() };
    assert_eq!(settings.place, DiskPlace::Folder("/media/anna/PHOTOS/Safelight".into()));
    assert_eq!(settings.reserve, Amount::Share("1%".parse().unwrap()));
    assert!(settings.read_back);

    let [job] = config.jobs.as_slice() else { panic!() };
    assert_eq!((job.name.as_str(), job.to.as_slice()), ("mirror", ["disk".to_owned()].as_slice()));
    assert!(
        job.only.is_empty() && job.limits.bandwidth.is_empty() && job.limits.parallel.is_empty()
    );
    assert_eq!(job.limits.memory, ByteSize(128 << 20));
    assert_eq!(job.deletions.propagate, Propagate::After(30 * DAY));
    assert!(job.deletions.trash);
    assert_eq!(job.deletions.keep_for, 180 * DAY);
    assert_eq!(job.deletions.guard, Guard { files: 200, share: "2%".parse().unwrap() });
    assert_eq!(job.changes.keep_versions, 3);
    assert_eq!(job.changes.guard, Guard { files: 500, share: "5%".parse().unwrap() });
}

#[test]
fn a_household_is_read_as_written() {
    let text = example("household.toml");
    let config = good(&text);
    assert_eq!(config.library.name, "family");
    assert_eq!(config.library.settle, Duration::from_secs(10));
    let rules = &config.library.filter.rules;
    assert_eq!(rules.len(), 4);
    assert!(!rules[1].keep && rules[3].keep);
    assert_eq!(rules[1].pattern, "*.tmp");
    let Origin::File { line, span } = &rules[1].at else { panic!() };
    assert_eq!(text.lines().nth(line - 1).unwrap().trim(), "\"- *.tmp\",");
    assert_eq!(&text[span.clone()], "\"- *.tmp\"");
    let classifier = config.library.media.classifier();
    assert_eq!(classifier.classify(b"x.GPR").word(), "raw");
    assert_eq!(config.library.media.skip.len(), 1);

    let names: Vec<&str> = config.destinations.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["disk", "bucket"]);
    let Storage::Disk(disk) = &config.destination("disk").unwrap().storage else { panic!() };
    let DiskPlace::Volume { label, id, path } = &disk.place else { panic!() };
    assert_eq!((label.as_deref(), id.as_deref()), (Some("PHOTOS"), Some("5E2A-11F0")));
    assert_eq!(path, "Safelight/Pictures");

    let bucket = config.destination("bucket").unwrap();
    assert!(bucket.offsite);
    assert_eq!(bucket.pools[0].limit, PoolLimit::Bytes(ByteSize(200_000_000_000)));
    assert_eq!(bucket.pools[0].when_full, WhenFull::NewestFirst);
    assert_eq!(bucket.pools[1].limit, PoolLimit::Unlimited);
    assert_eq!(bucket.pools[1].counts.len(), 3);
    let Storage::S3(s3) = &bucket.storage else { panic!() };
    assert!(matches!(&s3.endpoint, Endpoint::Url(url) if url.starts_with("https://s3.eu")));
    let keys = s3.keys.as_ref().unwrap();
    assert_eq!(keys.access_key_id, SecretRef::Env("SAFELIGHT_B2_KEY_ID".into()));
    assert!(matches!(&keys.secret_access_key, SecretRef::Command(words) if words.len() == 3));

    let job = &config.jobs[0];
    assert_eq!(job.limits.parallel, [("bucket".to_owned(), 4), ("disk".to_owned(), 2)]);
    assert_eq!(job.limits.bandwidth.len(), 2);
}

#[test]
fn a_nas_is_passed_on_to_opendal() {
    let config = good(&example("nas.toml"));
    let Storage::OpenDal(nas) = &config.destination("nas").unwrap().storage else { panic!() };
    assert_eq!((nas.service.as_str(), nas.root.as_str()), ("webdav", "photo/safelight"));
    assert_eq!(nas.options["username"], OptionValue::Text("anna".into()));
    let file = SecretRef::File("/home/anna/.config/safelight/nas-password".into());
    assert_eq!(nas.options["password"], OptionValue::Secret(file));
}

#[test]
fn relative_paths_start_at_the_config_file() {
    let text = "version = 1\nstate = \"out/state\"\n[library]\npath = \"photos\"\n[destination.a]\ntype = \"disk\"\npath = \"out/a\"\n[destination.b]\ntype = \"s3\"\nendpoint = \"sandbox\"\nsandbox = \"out/s3\"\nbucket = \"b\"\n";
    let config = Config::parse(text, Path::new("try/safelight.toml"), &common::env()).unwrap();
    assert_eq!(config.state, Path::new("/data/try/out/state"));
    assert_eq!(config.library.path, Path::new("/data/try/photos"));
    let Storage::S3(s3) = &config.destinations[1].storage else { panic!() };
    assert_eq!(s3.endpoint, Endpoint::Sandbox { folder: Some("/data/try/out/s3".into()) });
    assert!(s3.keys.is_none());
    assert_eq!(s3.region, "us-east-1");
}

#[test]
fn safety_defaults_follow_the_destinations() {
    let disk = |name: &str, more: &str| {
        format!("[destination.{name}]\ntype = \"disk\"\npath = \"/{name}\"\n{more}\n")
    };
    let safety = |more: &str| {
        let safety = good(&with(more)).safety;
        (safety.copies, safety.offsite)
    };
    assert_eq!(safety(""), (2, 0));
    assert_eq!(safety(&disk("b", "offsite = true")), (3, 1));
    assert_eq!(safety(&(disk("b", "") + &disk("c", "") + &disk("d", ""))), (3, 0));
}

#[test]
fn state_folders_of_two_files_differ() {
    let text = example("minimal.toml");
    let at = |path: &str| Config::parse(&text, Path::new(path), &common::env()).unwrap().state;
    assert_ne!(at("/a/safelight.toml"), at("/b/safelight.toml"));
    assert_eq!(at("/a/safelight.toml"), at("/a/./x/../safelight.toml"));
}

#[test]
fn what_show_prints_means_the_same() {
    for (path, text) in examples() {
        let config = good(&text);
        let shown = config.show(false);
        let again = good(&shown);
        let name = path.display();
        assert_eq!(again.show(false), shown, "{name}");
        assert_eq!(again.destinations, config.destinations, "{name}");
        assert_eq!(again.jobs, config.jobs, "{name}");
        assert_eq!(again.safety, config.safety, "{name}");
        assert_eq!(
            (&again.state, &again.library.path),
            (&config.state, &config.library.path),
            "{name}"
        );
    }
}

#[test]
fn show_tells_where_each_value_came_from() {
    let shown = good(&example("minimal.toml")).show(true);
    for line in [
        "path = \"/home/anna/Pictures\"   # safelight.toml:5",
        "checked = \"180 days\"   # default",
        "copies = 2   # default",
        "type = \"disk\"   # safelight.toml:8",
        "to = [\"disk\"]   # default",
        "memory = \"128 MiB\"   # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

#[test]
fn the_redacted_file_tells_nothing_about_the_user() {
    for (_, text) in examples() {
        let text = text.replace("version = 1", "version = 1 # my password is hunter2");
        let redacted = good(&text).redacted();
        for private in [
            "anna",
            "hunter2",
            "5E2A",
            "PHOTOS\"",
            "backblaze",
            "example.org",
            "SAFELIGHT_B2",
            "pass",
            "nas-password",
        ] {
            let found = redacted
                .lines()
                .find(|line| line.contains(private) && !line.starts_with("password"));
            assert_eq!(found, None, "{redacted}");
        }
        assert!(redacted.contains("path = \"~/Pictures\""), "{redacted}");
    }
}

#[test]
fn every_example_fits_the_schema() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (path, text) in examples() {
        good(&text);
        let document: toml::Table = text.parse().unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&serde_json::to_value(document).unwrap())
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
    let wrong = serde_json::json!({ "version": 1, "library": { "path": "x", "pth": 1 }, "destination": {} });
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn what_show_prints_fits_the_schema_too() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (_, text) in examples() {
        let document: toml::Table = good(&text).show(false).parse().unwrap();
        let document = serde_json::to_value(document).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}
