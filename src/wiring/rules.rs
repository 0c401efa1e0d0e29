//! The rules of the config in the engine's words.

use std::time::Duration;

use safelight_config as config;
use safelight_config::units::Amount;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::filter::{Filter, Rule};
use safelight_core::job::{
    ChangeRules, DeletionRules, DestinationRules, Guard, KeepFree, Pool, PoolLimit, WhenFull,
};
use safelight_core::key::printable;

/// What of the library is backed up; `file` names the config file in explanations.
pub fn filter(library: &config::Library, file: &str) -> Result<Filter> {
    let rules = library.filter.rules.iter().map(|rule| {
        let origin = match &rule.at {
            config::Origin::File { line, .. } => format!("{file}:{line}"),
            config::Origin::Default => "built in".to_owned(),
        };
        pattern(rule.keep, &rule.pattern, &origin)
    });
    Ok(Filter {
        rules: rules.collect::<Result<_>>()?,
        hidden: library.filter.hidden,
        skip: library.media.skip.clone(),
    })
}

/// One pattern in gitignore syntax.
pub fn pattern(keep: bool, pattern: &str, origin: &str) -> Result<Rule> {
    Rule::new(keep, pattern, origin).map_err(|reason| {
        let shown = printable(pattern.as_bytes());
        Error::new(Kind::Internal, format!("the pattern `{shown}` ({origin})")).source(reason)
    })
}

/// How much a job lets be under way at once at a destination, where it says.
pub fn parallel(destination: &config::Destination, job: &config::Mirror) -> Option<u32> {
    let limits = &job.limits.parallel;
    limits.iter().find(|(name, _)| *name == destination.name).map(|(_, places)| *places)
}

/// The rules of one destination.
pub fn destination(destination: &config::Destination, job: &config::Mirror) -> DestinationRules {
    DestinationRules {
        removable: destination.removable,
        overdue: Some(destination.overdue),
        offsite: destination.offsite,
        pools: destination.pools.iter().map(pool).collect(),
        concurrency: parallel(destination, job).and_then(|places| usize::try_from(places).ok()),
    }
}

fn pool(pool: &config::Pool) -> Pool {
    Pool {
        counts: pool.counts.clone(),
        limit: match pool.limit {
            config::PoolLimit::Unlimited => PoolLimit::Unlimited,
            config::PoolLimit::Bytes(size) => PoolLimit::Bytes(size.bytes()),
            config::PoolLimit::Ask => PoolLimit::Ask,
        },
        keep_free: match pool.keep_free {
            Amount::Bytes(size) => KeepFree::Bytes(size.bytes()),
            Amount::Share(part) => KeepFree::Share(share(part)),
        },
        when_full: match pool.when_full {
            config::WhenFull::NewestFirst => WhenFull::NewestFirst,
            config::WhenFull::SmallestFirst => WhenFull::SmallestFirst,
            config::WhenFull::Stop => WhenFull::Stop,
        },
    }
}

/// What happens to copies of deleted files.
pub fn deletions(rules: &config::Deletions) -> DeletionRules {
    DeletionRules {
        propagate_after: match rules.propagate {
            config::Propagate::Never => None,
            config::Propagate::AtOnce => Some(Duration::ZERO),
            config::Propagate::After(wait) => Some(wait),
        },
        keep_for: if rules.trash { rules.keep_for } else { Duration::ZERO },
        guard: guard(rules.guard),
    }
}

/// What happens to copies of changed files.
pub fn changes(rules: &config::Changes) -> ChangeRules {
    ChangeRules { keep_versions: rules.keep_versions, guard: guard(rules.guard) }
}

fn guard(guard: config::Guard) -> Guard {
    Guard { files: guard.files, share: share(guard.share) }
}

fn share(share: config::units::Share) -> f64 {
    const WHOLE: u64 = 1_000_000;
    share.of(WHOLE) as f64 / WHOLE as f64
}
