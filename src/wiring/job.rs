//! A mirror job of the config as the engine takes it.

use std::sync::Arc;

use safelight_config::{Config, Mirror};
use safelight_core::catalog::RunId;
use safelight_core::error::Result;
use safelight_core::job::{Destination, MirrorJob, MirrorOptions};
use safelight_core::wrap::Meter;
use safelight_disk::Disk;
use safelight_media::Media;

use super::{Opener, rules};
use crate::args::MirrorArgs;

/// A job that is ready to run, and what has to live as long as it does.
pub struct Wired {
    /// The job.
    pub job: MirrorJob,
    opener: Opener,
}

impl Wired {
    /// Ends what was started for the job.
    pub async fn close(self) {
        drop(self.job);
        self.opener.close().await;
    }
}

/// Opens the library and the destinations of `job`; if `to` names some, only these. A destination that cannot
/// be opened is part of the job all the same, with the reason.
///
/// # Errors
/// Only mistakes of the program: the config was checked.
pub async fn mirror_job(
    config: &Config,
    job: &Mirror,
    to: &[String],
    mut opener: Opener,
    meter: Option<&Arc<Meter>>,
) -> Result<Wired> {
    let file = config.file().file_name().unwrap_or_default().to_string_lossy();
    let mut destinations = Vec::new();
    let wanted = job.to.iter().filter(|name| to.is_empty() || to.contains(name));
    for destination in wanted.filter_map(|name| config.destination(name)) {
        let parallel = rules::parallel(destination, job);
        let (provider, renewal) =
            opener.open_for_job(destination, meter.cloned(), parallel).await?;
        destinations.push(Destination {
            name: destination.name.clone(),
            opened: provider,
            renewal,
            rules: rules::destination(destination, job),
        });
    }
    let job = MirrorJob {
        name: job.name.clone(),
        library: Arc::new(Disk::library(&config.library.path)),
        filter: rules::filter(&config.library, &file)?,
        settle: config.library.settle,
        classifier: config.library.media.classifier(),
        inspector: Arc::new(Media),
        destinations,
        deletions: rules::deletions(&job.deletions),
        changes: rules::changes(&job.changes),
        memory_bytes: job.limits.memory.bytes(),
    };
    Ok(Wired { job, opener })
}

/// What the command line decides for one run; `--only` takes the place of the job's own `only`.
///
/// # Errors
/// A pattern that makes no sense.
pub fn mirror_options(args: &MirrorArgs, job: &Mirror) -> Result<MirrorOptions> {
    let (patterns, origin) =
        if args.only.is_empty() { (&job.only, "the config") } else { (&args.only, "--only") };
    let only = patterns.iter().map(|pattern| rules::pattern(true, pattern, origin));
    Ok(MirrorOptions {
        dry_run: args.dry_run,
        only: only.collect::<Result<_>>()?,
        full_scan: args.full_scan,
        max_duration: args.max_duration,
        max_transfer: args.max_transfer.map(safelight_config::units::ByteSize::bytes),
        accept_deletions: args.accept_deletions.map(RunId),
        keep_deleted: args.keep_deleted,
        accept_changes: args.accept_changes.map(RunId),
    })
}
