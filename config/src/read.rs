//! From the completed tree to the typed settings.
//!
//! Runs only on a tree without problems, so every required value is there; the fallbacks below are never seen.

use std::collections::BTreeMap;

use safelight_core::class::MediaClass;

use crate::amazon;
use crate::destination::{
    Destination, Disk, DiskPlace, Dropbox, DropboxEndpoint, DropboxKey, Endpoint, OpenDal,
    OptionValue, Pool, PoolLimit, S3, S3Keys, Storage, WhenFull,
};
use crate::job::{Changes, Deletions, Guard, Limits, Mirror, Propagate};
use crate::library::{Filter, Library, Media, Rule, Safety, Symlinks};
use crate::tree::{Table, Value};
use crate::units::{Amount, ByteSize};

fn text(table: &Table, name: &str) -> String {
    table.get(name).unwrap_or_default()
}

fn number(table: &Table, name: &str) -> u32 {
    table.get::<u64>(name).and_then(|count| u32::try_from(count).ok()).unwrap_or_default()
}

fn amount(table: &Table, name: &str) -> Amount {
    table.get(name).unwrap_or(Amount::Bytes(ByteSize(0)))
}

pub(crate) fn library(table: &Table) -> Library {
    Library {
        name: text(table, "name"),
        path: table.get("path").unwrap_or_default(),
        filter: filter(table.table("filter").unwrap_or(&Table::default())),
        media: media(table.table("media").unwrap_or(&Table::default())),
        settle: table.get("settle").unwrap_or_default(),
    }
}

fn filter(table: &Table) -> Filter {
    let rules = table.items("rules").iter().filter_map(|entry| match &entry.value {
        Value::Rule { keep, pattern } => {
            Some(Rule { keep: *keep, pattern: pattern.clone(), at: entry.origin.clone() })
        }
        _ => None,
    });
    Filter {
        rules: rules.collect(),
        hidden: table.get("hidden").unwrap_or_default(),
        symlinks: Symlinks::Skip,
    }
}

fn media(table: &Table) -> Media {
    let mut media = Media::default();
    for class in MediaClass::ALL {
        let Some(table) = table.table(class.word()) else { continue };
        let endings = table.list::<String>("add").into_iter();
        media
            .endings
            .extend(endings.map(|ending| (ending.trim_start_matches('.').to_owned(), class)));
        if table.get("skip") == Some(true) {
            media.skip.push(class);
        }
    }
    media
}

pub(crate) fn safety(table: &Table) -> Safety {
    Safety {
        copies: number(table, "copies"),
        offsite: number(table, "offsite"),
        checked: table.get("checked").unwrap_or_default(),
        grace: table.get("grace").unwrap_or_default(),
    }
}

/// None: a kind that is not available yet.
pub(crate) fn destination(name: &str, table: &Table) -> Option<Destination> {
    let storage = match text(table, "type").as_str() {
        "disk" => Storage::Disk(disk(table)),
        "s3" => Storage::S3(s3(table)),
        "opendal" => Storage::OpenDal(opendal(table)),
        "dropbox" => Storage::Dropbox(dropbox(table)),
        "amazon-photos" => Storage::AmazonPhotos(amazon::read(table)),
        _ => return None,
    };
    Some(Destination {
        name: name.to_owned(),
        storage,
        offsite: table.get("offsite").unwrap_or_default(),
        removable: table.get("removable").unwrap_or_default(),
        overdue: table.get("overdue").unwrap_or_default(),
        pools: table.items("pool").iter().filter_map(|entry| entry.table()).map(pool).collect(),
    })
}

fn disk(table: &Table) -> Disk {
    let place = match table.table("volume") {
        Some(volume) => DiskPlace::Volume {
            label: volume.get("label"),
            id: volume.get("id"),
            path: text(table, "path"),
        },
        None => DiskPlace::Folder(table.get("path").unwrap_or_default()),
    };
    Disk {
        place,
        reserve: amount(table, "reserve"),
        read_back: table.get("read_back").unwrap_or(true),
    }
}

fn s3(table: &Table) -> S3 {
    let endpoint = match table.get::<String>("endpoint") {
        None => Endpoint::Aws,
        Some(word) if word == "sandbox" => Endpoint::Sandbox { folder: table.get("sandbox") },
        Some(url) => Endpoint::Url(url),
    };
    let keys = table.get("access_key_id").zip(table.get("secret_access_key"));
    S3 {
        endpoint,
        bucket: text(table, "bucket"),
        region: table.get("region").unwrap_or_else(|| "us-east-1".to_owned()),
        keys: keys.map(|(access_key_id, secret_access_key)| S3Keys {
            access_key_id,
            secret_access_key,
            session_token: table.get("session_token"),
        }),
        root: text(table, "root"),
        path_style: table.get("path_style").unwrap_or_default(),
        storage_class: table.get("storage_class"),
        checksum: text(table, "checksum"),
        conditional_writes: table.get("conditional_writes").unwrap_or_default(),
    }
}

fn opendal(table: &Table) -> OpenDal {
    let mut options = BTreeMap::new();
    for (name, entry) in table.table("options").iter().flat_map(|options| &options.entries) {
        match &entry.value {
            Value::Text(text) => options.insert(name.clone(), OptionValue::Text(text.clone())),
            Value::Secret(secret) => {
                options.insert(name.clone(), OptionValue::Secret(secret.clone()))
            }
            _ => None,
        };
    }
    OpenDal { service: text(table, "service"), options, root: text(table, "root") }
}

fn dropbox(table: &Table) -> Dropbox {
    let empty = Table::default();
    let hosts = table.table("endpoint").unwrap_or(&empty);
    let endpoint = match table.get::<String>("endpoint") {
        Some(_) => DropboxEndpoint::Sandbox { folder: table.get("sandbox") },
        None => DropboxEndpoint::Service {
            api: hosts.get("api"),
            content: hosts.get("content"),
            notify: hosts.get("notify"),
            www: hosts.get("www"),
        },
    };
    let access = || table.get("access_token").map(DropboxKey::AccessToken);
    Dropbox {
        app_key: table.get("app_key"),
        sign_in: table.get("token").map(DropboxKey::Token).or_else(access),
        root: text(table, "root"),
        path_root: table.get("path_root"),
        endpoint,
    }
}

fn pool(table: &Table) -> Pool {
    let counts = table.list::<String>("counts");
    Pool {
        counts: counts.iter().filter_map(|word| word.parse().ok()).collect(),
        limit: table.get("limit").unwrap_or(PoolLimit::Ask),
        keep_free: amount(table, "keep_free"),
        when_full: match text(table, "when_full").as_str() {
            "smallest-first" => WhenFull::SmallestFirst,
            "stop" => WhenFull::Stop,
            _ => WhenFull::NewestFirst,
        },
    }
}

/// None: a kind of job that is not available yet.
pub(crate) fn mirror(name: &str, table: &Table) -> Option<Mirror> {
    if text(table, "kind") != "mirror" {
        return None;
    }
    let empty = Table::default();
    let part = |name: &str| table.table(name).unwrap_or(&empty);
    let (limits, deletions, changes) = (part("limits"), part("deletions"), part("changes"));
    let parallel = limits.table("parallel").unwrap_or(&empty);
    let names = parallel.entries.iter().map(|(name, _)| (name.clone(), number(parallel, name)));
    Some(Mirror {
        name: name.to_owned(),
        to: table.list("to"),
        only: table.list("only"),
        limits: Limits {
            bandwidth: limits.list("bandwidth"),
            parallel: names.collect(),
            memory: limits.get("memory").unwrap_or_default(),
        },
        deletions: Deletions {
            propagate: deletions.get("propagate").unwrap_or(Propagate::Never),
            trash: text(deletions, "keep_in") == "trash",
            keep_for: deletions.get("keep_for").unwrap_or_default(),
            guard: guard(deletions),
        },
        changes: Changes { keep_versions: number(changes, "keep_versions"), guard: guard(changes) },
    })
}

fn guard(table: &Table) -> Guard {
    let guard = table.table("guard");
    Guard {
        files: guard.and_then(|guard| guard.get("files")).unwrap_or_default(),
        share: guard.and_then(|guard| guard.get("share")).unwrap_or_default(),
    }
}
