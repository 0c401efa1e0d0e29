//! Disks that fail while they are written: a sync that fails, a power cut. These tests mount file systems; where
//! that is not possible, each prints one line and passes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;
use safelight_core::error::{Kind, Scope as Reach};
use support::{Image, Mounted, can, content, destination, leftovers, put, visible};

const MIB: usize = 1 << 20;

/// An ext4 that believes to have more room than the medium below it: what is too much fails when it is synced.
fn brittle() -> Option<(Mounted, Mounted)> {
    let below = Mounted::memory(24 * 1024)?;
    let mounted = Mounted::image(&Image::EXT4, &below.at.join("image"), 256)?;
    Some((mounted, below))
}

#[tokio::test]
async fn a_failed_sync_is_an_error_and_leaves_nothing() {
    let Some((mounted, _below)) = brittle() else { return };
    let disk = destination(&mounted.at.join("root"));
    put(&disk, "first", b"1").await.unwrap();
    let refused = put(&disk, "big", &vec![7; 48 * MIB]).await.unwrap_err();
    assert!(matches!(refused.kind(), Kind::Io | Kind::NoRoom), "{refused}");
    assert_eq!(refused.reach(), Reach::Destination);
    assert!(refused.to_string().contains("making a file durable"), "{refused}");
    assert_eq!(visible(&mounted.at.join("root")), ["first"]);
    assert_eq!(content(&disk, "first").await.unwrap(), b"1");
}

#[tokio::test]
async fn a_failed_sync_of_many_condemns_all_that_it_was_for() {
    let Some((mounted, _below)) = brittle() else { return };
    let root = mounted.at.join("root");
    let disk = destination(&root);
    put(&disk, "first", b"1").await.unwrap();
    let bytes = vec![7; 2 * MIB];
    let puts = (0..32).map(async |number: u32| {
        let name = format!("n{number}");
        (name.clone(), put(&disk, &name, &bytes).await)
    });
    let (stored, failed): (Vec<_>, Vec<_>) =
        join_all(puts).await.into_iter().partition(|(_, done)| done.is_ok());
    assert!(!failed.is_empty());
    // What the medium lost without a word is found out by reading it back.
    assert!(failed.iter().all(|(_, done)| {
        done.as_ref().is_err_and(|error| {
            error.reach() == Reach::Destination || error.kind() == Kind::Corrupt
        })
    }));
    let claimed: BTreeSet<_> =
        stored.into_iter().map(|(name, _)| name).chain(["first".to_owned()]).collect();
    assert_eq!(visible(&root).into_iter().collect::<BTreeSet<_>>(), claimed);
}

/// Stops the file system at `path` as if the power failed: nothing more reaches the medium.
fn cut_power(path: &Path) -> bool {
    const SHUTDOWN: &str = "import fcntl, os, struct, sys\n\
        fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
    can(Command::new("python3").args(["-c", SHUTDOWN]).arg(path))
}

fn bytes_of(number: usize) -> Vec<u8> {
    (0..=number * 3001 % 90_000).map(|at| ((at * 7 + number) % 251).to_le_bytes()[0]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_before_a_power_cut_is_there_whole_and_nothing_is_there_half() {
    let dir = tempfile::tempdir().unwrap();
    for enough in [1, 40, 150] {
        let image = dir.path().join(enough.to_string());
        let Some(mounted) = Mounted::image(&Image::EXT4, &image, 256) else { return };
        let disk = destination(&mounted.at.join("root"));
        let puts = stream::iter(0..400).map(|number| {
            let disk = &disk;
            let name = format!("{}/{number}", number % 7);
            async move { (number, put(disk, name, &bytes_of(number)).await.is_ok()) }
        });
        let mut puts = puts.buffer_unordered(48);
        let mut stored = Vec::new();
        let mut is_cut = false;
        while let Some((number, done)) = puts.next().await {
            if done {
                stored.push(number);
            }
            if !is_cut && stored.len() == enough {
                if !cut_power(&mounted.at) {
                    println!("skipped: the power of an ext4 image cannot be cut here");
                    return;
                }
                is_cut = true;
            }
        }
        drop(puts);
        drop(disk);
        drop(mounted);
        assert!(is_cut && stored.len() < 400);
        let Some(mounted) = Mounted::image(&Image::EXT4, &image, 256) else { return };
        let root = mounted.at.join("root");
        for number in &stored {
            let name = format!("{}/{number}", number % 7);
            assert_eq!(std::fs::read(root.join(name)).unwrap(), bytes_of(*number));
        }
        for name in visible(&root) {
            let number = name.rsplit('/').next().unwrap().parse().unwrap();
            assert_eq!(std::fs::read(root.join(&name)).unwrap(), bytes_of(number), "{name}");
        }
        // The next run sweeps what the cut one left and goes on.
        let disk = destination(&root);
        put(&disk, "next", b"1").await.unwrap();
        assert!(leftovers(&root).is_empty());
    }
}
