//! The catalog as a file: lock, damage, crashes, copies.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use safelight_catalog::SqliteCatalog;
use safelight_core::catalog::{
    Catalog, Content, DestinationId, Finding, Held, ItemId, Problem, Record, RunId, Stat,
};
use safelight_core::class::MediaClass;
use safelight_core::codes;
use safelight_core::digest::Digests;
use safelight_core::error::{Kind, Scope};
use safelight_core::key::Key;
use safelight_core::provider::Proof;
use safelight_core::time::Timestamp;
use tempfile::TempDir;

const ITEMS: usize = 500;

fn stat() -> Stat {
    Stat { size: 5, modified: Timestamp::default(), changed: None, file_id: Some(u64::MAX) }
}

fn found(index: usize) -> Finding {
    let key = Key::new(format!("2024/{index:05}.jpg")).unwrap();
    Finding::Found { key, stat: stat(), class: MediaClass::Photo }
}

fn stored(item: i64) -> Record {
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&item.to_be_bytes());
    let digests = Digests { sha256: Some(sha256), ..Digests::default() };
    Record::Stored {
        item: ItemId(item),
        destination: DestinationId(1),
        held: Held {
            key: Key::new(format!("moved/{item}")).unwrap(),
            content: Content { size: 5, digests },
            version: None,
            remote_id: None,
            proof: Proof::ReadBack,
            proved_at: Timestamp::from_nanos(7),
        },
        run: RunId(1),
    }
}

/// A catalog in which every item has a copy at one destination.
async fn filled(path: &Path) -> SqliteCatalog {
    let catalog = SqliteCatalog::open(path, "mirror").await.unwrap();
    catalog.enroll("disk").await.unwrap();
    catalog.begin_run("mirror", Timestamp::default()).await.unwrap();
    catalog.apply((0..ITEMS).map(found).collect()).await.unwrap();
    let items = 1..=i64::try_from(ITEMS).unwrap();
    catalog.record(items.map(stored).collect()).await.unwrap();
    catalog
}

async fn copies(catalog: &SqliteCatalog) -> u64 {
    let stored = catalog.stored(DestinationId(1)).await.unwrap();
    stored.values().map(|amount| amount.files).sum()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn what_was_recorded_is_there_after_a_crash() {
    let (folder, crashed) = (folder(), folder());
    let path = folder.path().join("catalog.db");
    let catalog = filled(&path).await;
    // What a dead process leaves: the file and its log as they are at this moment.
    for name in ["catalog.db", "catalog.db-wal"] {
        fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    drop(catalog);
    for path in [path, crashed.path().join("catalog.db")] {
        let catalog = SqliteCatalog::open(&path, "mirror").await.unwrap();
        assert_eq!(copies(&catalog).await, ITEMS as u64);
        let item = catalog.item(&Key::new("2024/00000.jpg").unwrap()).await.unwrap().unwrap();
        assert_eq!(item.stat, stat());
    }
}

#[tokio::test]
async fn a_run_may_begin_while_the_file_is_still_looked_through() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    filled(&path).await.close().await;
    let catalog = SqliteCatalog::open(&path, "mirror").await.unwrap();
    let run = catalog.begin_run("mirror", Timestamp::from_nanos(9)).await.unwrap();
    let failed = Record::Failed {
        item: ItemId(1),
        destination: Some(DestinationId(1)),
        run,
        code: codes::IO,
        message: "reading".to_owned(),
    };
    catalog.record(vec![failed]).await.unwrap();
    catalog.end_run(run, Timestamp::from_nanos(10), 0, "{}".to_owned()).await.unwrap();
    let runs = catalog.runs(9).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [RunId(2), RunId(1)]);
    assert_eq!((runs[0].started, runs[0].exit), (Timestamp::from_nanos(9), Some(0)));
    let problems = catalog.problems(run).await.unwrap();
    assert_eq!(problems[0].destination.as_deref(), Some("disk"));
    assert_eq!(problems[0].key, Some(Key::new("2024/00000.jpg").unwrap()));
}

#[tokio::test]
async fn a_log_torn_by_a_crash_costs_only_what_was_not_durable() {
    let (folder, crashed) = (folder(), folder());
    let path = folder.path().join("catalog.db");
    let catalog = filled(&path).await;
    let torn = crashed.path().join("catalog.db");
    fs::copy(&path, &torn).unwrap();
    let log = fs::read(folder.path().join("catalog.db-wal")).unwrap();
    fs::write(crashed.path().join("catalog.db-wal"), &log[..log.len() - 100]).unwrap();
    drop(catalog);
    let catalog = SqliteCatalog::open(&torn, "mirror").await.unwrap();
    assert_eq!(copies(&catalog).await, 0);
    assert_eq!(catalog.known(None, 1000).await.unwrap().len(), ITEMS);
}

#[tokio::test]
async fn four_kilobytes_overwritten_anywhere_are_noticed_before_anything_is_claimed_or_written() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    filled(&path).await.close().await;
    let whole = fs::read(&path).unwrap();
    for tenth in 0..10 {
        let start = whole.len() / 10 * tenth;
        let mut bytes = whole.clone();
        bytes[start..start + 4096].fill(0x5a);
        fs::write(&path, &bytes).unwrap();
        let error = match SqliteCatalog::open(&path, "mirror").await {
            Err(error) => error,
            Ok(catalog) => {
                let claimed = catalog.tally(DestinationId(1)).await.unwrap_err();
                assert_eq!(claimed.id(), codes::CATALOG_DAMAGED);
                catalog.record(vec![stored(1)]).await.unwrap_err()
            }
        };
        assert_eq!((error.id(), error.reach()), (codes::CATALOG_DAMAGED, Scope::Run), "{tenth}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{tenth}");
    }
}

#[tokio::test]
async fn a_damaged_catalog_is_set_aside_whole_and_no_earlier_one_is_overwritten() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    let at = Timestamp::from_parts(1_700_000_000, 0);
    for damage in ["first", "second"] {
        fs::write(&path, [damage, " is no database, however long"].concat().repeat(100)).unwrap();
        let bytes = fs::read(&path).unwrap();
        let error = SqliteCatalog::open(&path, "mirror").await.map(drop).unwrap_err();
        assert_eq!(error.id(), codes::CATALOG_DAMAGED);
        let aside = SqliteCatalog::set_aside(&path, at).await.unwrap();
        assert!(aside.to_str().unwrap().contains(".damaged-20231114T221320Z"));
        assert_eq!(fs::read(aside).unwrap(), bytes);
        assert!(!path.exists());
    }
    filled(&path).await.close().await;
}

#[tokio::test]
async fn a_second_run_is_told_who_is_at_work_and_may_come_when_it_is_done() {
    let folder = folder();
    let path = folder.path().join("state").join("catalog.db");
    let first = SqliteCatalog::open(&path, "safelight mirror since 12:00").await.unwrap();
    let error = SqliteCatalog::open(&path, "safelight adopt").await.map(drop).unwrap_err();
    assert_eq!(error.id(), codes::LOCKED);
    let process = format!("process {}: safelight mirror since 12:00", std::process::id());
    assert!(error.context().contains(&process), "{error}");
    let error = SqliteCatalog::set_aside(&path, Timestamp::default()).await.unwrap_err();
    assert_eq!(error.id(), codes::LOCKED);
    first.close().await;
    SqliteCatalog::open(&path, "safelight adopt").await.unwrap();
}

#[tokio::test]
async fn looking_needs_no_lock_sees_what_is_recorded_and_cannot_write() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    let missing = SqliteCatalog::open_read_only(&path).await.map(drop).unwrap_err();
    assert_eq!(missing.kind(), Kind::NotFound);
    assert!(!path.exists());
    let run = filled(&path).await;
    let looking = SqliteCatalog::open_read_only(&path).await.unwrap();
    assert_eq!(copies(&looking).await, ITEMS as u64);
    let error = looking.record(vec![stored(1)]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    run.apply(vec![found(ITEMS)]).await.unwrap();
    assert_eq!(looking.library().await.unwrap().present, ITEMS as u64 + 1);
}

#[tokio::test]
async fn a_scratch_catalog_knows_everything_and_changes_nothing() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    let none = SqliteCatalog::scratch(&path).await.unwrap();
    none.enroll("disk").await.unwrap();
    none.close().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let run = filled(&path).await;
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let before = (read("catalog.db"), read("catalog.db-wal"));
    let scratch = SqliteCatalog::scratch(&path).await.unwrap();
    assert_eq!(copies(&scratch).await, ITEMS as u64);
    let dropped = Record::Dropped { item: ItemId(1), destination: DestinationId(1) };
    scratch.record(vec![dropped]).await.unwrap();
    assert_eq!(copies(&scratch).await, ITEMS as u64 - 1);
    scratch.close().await;
    assert_eq!((read("catalog.db"), read("catalog.db-wal")), before);
    assert_eq!(copies(&run).await, ITEMS as u64);
}

/// A new item, and with every third something that cannot be written.
fn every_third_fails(index: usize) -> Vec<Finding> {
    let unknown = Finding::Altered {
        item: ItemId(999_999),
        stat: stat(),
        freshness: safelight_core::catalog::Freshness::Stale,
    };
    let mut findings = vec![found(ITEMS + index)];
    findings.extend(index.is_multiple_of(3).then_some(unknown));
    findings
}

async fn assert_every_third_failed(catalog: &SqliteCatalog, answers: &[bool]) {
    for (index, written) in answers.iter().enumerate() {
        assert_eq!(*written, index % 3 != 0);
        let key = Key::new(format!("2024/{:05}.jpg", ITEMS + index)).unwrap();
        assert_eq!(catalog.item(&key).await.unwrap().is_some(), *written);
    }
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all_and_its_neighbours_do_not_suffer() {
    let folder = folder();
    let catalog = filled(&folder.path().join("catalog.db")).await;
    let batches = (0..100).map(|index| catalog.apply(every_third_fails(index)));
    let answers = futures::future::join_all(batches).await;
    let written: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_every_third_failed(&catalog, &written).await;
}

#[tokio::test]
async fn a_batch_that_comes_alone_is_written_whole_or_not_at_all_and_the_next_does_not_suffer() {
    let folder = folder();
    let catalog = filled(&folder.path().join("catalog.db")).await;
    let mut written = Vec::new();
    for index in 0..10 {
        written.push(catalog.apply(every_third_fails(index)).await.is_ok());
    }
    assert_every_third_failed(&catalog, &written).await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_may_read_the_catalog() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let state = folder.path().join("state");
    let _catalog = filled(&state.join("catalog.db")).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for entry in fs::read_dir(&state).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn the_database_of_another_program_is_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    drop(foreign);
    let before = fs::read(&path).unwrap();
    let error = SqliteCatalog::open(&path, "mirror").await.map(drop).unwrap_err();
    assert_eq!(error.id(), codes::CATALOG_FAILED);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn what_cannot_be_opened_fails_the_run() {
    let folder = folder();
    let error = SqliteCatalog::open(folder.path(), "mirror").await.map(drop).unwrap_err();
    assert_eq!((error.id(), error.reach()), (codes::CATALOG_FAILED, Scope::Run));
}

#[tokio::test]
async fn a_destinations_notebook_outlives_the_program_and_is_its_own() {
    let folder = folder();
    let path = folder.path().join("catalog.db");
    let catalog = SqliteCatalog::open(&path, "test").await.unwrap();
    catalog.keep_page("cloud", "early", Some("nobody knows cloud yet".to_owned())).await.unwrap();
    assert_eq!(catalog.page("cloud", "early").await.unwrap(), None);

    for name in ["cloud", "disk"] {
        catalog.enroll(name).await.unwrap();
    }
    for text in ["first", "second"] {
        catalog.keep_page("cloud", "upload", Some(text.to_owned())).await.unwrap();
    }
    catalog.close().await;

    let catalog = SqliteCatalog::open(&path, "test").await.unwrap();
    assert_eq!(catalog.page("cloud", "upload").await.unwrap().as_deref(), Some("second"));
    assert_eq!(catalog.page("disk", "upload").await.unwrap(), None);
    catalog.keep_page("cloud", "upload", None).await.unwrap();
    assert_eq!(catalog.page("cloud", "upload").await.unwrap(), None);
}

#[tokio::test]
async fn the_problems_of_the_last_hundred_runs_are_kept() {
    let folder = folder();
    let catalog = SqliteCatalog::open(&folder.path().join("catalog.db"), "test").await.unwrap();
    let mut runs = Vec::new();
    for _ in 0..102 {
        let run = catalog.begin_run("mirror", Timestamp::default()).await.unwrap();
        let problem = Problem {
            run,
            destination: None,
            key: None,
            code: codes::IO,
            message: "a disk that fails".to_owned(),
        };
        catalog.record(vec![Record::Problem(problem)]).await.unwrap();
        catalog.end_run(run, Timestamp::default(), 3, "{}".to_owned()).await.unwrap();
        runs.push(run);
    }
    for (at, run) in runs.iter().enumerate() {
        let kept = catalog.problems(*run).await.unwrap().len();
        assert_eq!(kept, usize::from(at >= 2), "run {at}");
    }
}
