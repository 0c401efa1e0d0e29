//! The table of an Amazon Photos destination: its typed settings, the pools that its plan fills in, and what must
//! not stand in it together.

use std::path::PathBuf;

use crate::check::Walk;
use crate::codes;
use crate::place::Base;
use crate::report::Problem;
use crate::rules::no_sandbox_folder;
use crate::secrets::SecretRef;
use crate::settings::{AMAZON_POOLS, POOLS};
use crate::tree::{Entry, Table, Value};

/// `type = "amazon-photos"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmazonPhotos {
    /// The cookies of a browser that is signed in; None only for the sandbox.
    pub account: Option<SecretRef>,
    /// Where the account is: the end of the host's name, as `com` or `co.uk`.
    pub country: String,
    /// The folder inside the account, without slashes around it; empty: the account's root.
    pub root: String,
    /// What the account pays for.
    pub plan: AmazonPlan,
    /// Which service is asked.
    pub endpoint: AmazonEndpoint,
}

/// What an account at Amazon pays for, and so what its room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmazonPlan {
    /// Photos are free, everything else shares a small quota.
    Prime,
    /// Everything shares a small quota.
    None,
}

/// Which Amazon Photos is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmazonEndpoint {
    /// The service, at the addresses of its country where no other is given.
    Service {
        /// Where calls go.
        metadata: Option<String>,
        /// Where files go.
        content: Option<String>,
        /// Where small pictures are.
        thumbnail: Option<String>,
    },
    /// A stand-in started inside the program for trying things out.
    Sandbox {
        /// Where it keeps its files; None: below the state folder.
        folder: Option<PathBuf>,
    },
}

/// Whether a destination is of this kind.
fn is_amazon(table: &Table) -> bool {
    table.get::<String>("type").as_deref() == Some("amazon-photos")
}

/// The typed settings of a table without problems.
pub(crate) fn read(table: &Table) -> AmazonPhotos {
    let empty = Table::default();
    let hosts = table.table("endpoint").unwrap_or(&empty);
    let endpoint = match table.get::<String>("endpoint") {
        Some(_) => AmazonEndpoint::Sandbox { folder: table.get("sandbox") },
        None => AmazonEndpoint::Service {
            metadata: hosts.get("metadata"),
            content: hosts.get("content"),
            thumbnail: hosts.get("thumbnail"),
        },
    };
    AmazonPhotos {
        account: table.get("account"),
        country: table.get("country").unwrap_or_default(),
        root: table.get("root").unwrap_or_default(),
        plan: match table.get::<String>("plan").as_deref() {
            Some("none") => AmazonPlan::None,
            _ => AmazonPlan::Prime,
        },
        endpoint,
    }
}

/// Fills in the pools of the plan where the file has none of its own.
pub(crate) fn fill_pools(tree: &mut Table, base: &Base) {
    let Some(destinations) = tree.table_mut("destination") else { return };
    for (_, entry) in &mut destinations.entries {
        let Value::Table(table) = &mut entry.value else { continue };
        if !is_amazon(table) || !table.lacks("pool") {
            continue;
        }
        let Some(plan) = table.get::<String>("plan") else { continue };
        let pools = AMAZON_POOLS.iter().find(|(of, _)| *of == plan);
        let pools =
            pools.and_then(|(_, text)| Walk::new("", base).default_value(&POOLS.form, text));
        if let Some(pools) = pools {
            table.set("pool", Entry::default(pools));
        }
    }
}

/// What is missing in a table, or has no meaning in it.
pub(crate) fn check(name: &str, table: &Table, problems: &mut Vec<Problem>) {
    let sandbox = table.get::<String>("endpoint").is_some();
    // An endpoint that could not be read may have been meant as the sandbox.
    let unclear = table.entry("endpoint").is_none() && !table.lacks("endpoint");
    if sandbox || unclear {
        return;
    }
    if table.lacks("account") {
        let message = format!("[destination.{name}] has no `account`");
        let help = format!(
            "account = \"keyring:{name}\" or account = \"file:PATH\"; then: safelight auth login {name}"
        );
        problems
            .push(Problem::new(codes::MISSING_SETTING, message).at(table.span("type")).help(help));
    }
    no_sandbox_folder(name, table, problems);
}

/// Nobody promises anything for this service, so some other place has to hold the photos too. A stand-in for
/// trying things out promises nothing to anybody.
pub(crate) fn check_company(tree: &Table, problems: &mut Vec<Problem>) {
    let Some(destinations) = tree.table("destination") else { return };
    // What could not be read may be a place of another kind.
    if destinations
        .entries
        .iter()
        .any(|(_, entry)| entry.table().is_none_or(|table| table.get::<String>("type").is_none()))
        || !destinations.unreadable.is_empty()
    {
        return;
    }
    let mirrors = tree.table("job").into_iter().flat_map(Table::named);
    let goes_to: Vec<String> = mirrors.flat_map(|(_, job)| job.list::<String>("to")).collect();
    let reached = |name: &str| goes_to.iter().any(|to| to == name);
    let (amazon, others): (Vec<_>, Vec<_>) =
        destinations.named().filter(|(name, _)| reached(name)).partition(|(_, one)| is_amazon(one));
    let real = |table: &Table| table.get::<String>("endpoint").is_none();
    let Some((name, table)) = amazon.into_iter().find(|(_, table)| real(table)) else { return };
    if others.is_empty() {
        let message = format!("`{name}` would hold the only copy besides the library");
        let help = "Amazon Photos has no interface for programs and may stop working on any day:\n\
                    add a destination of another kind, such as a disk, to a mirror job";
        problems.push(Problem::new(codes::ONLY_COPY, message).at(table.span("type")).help(help));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_has_pools_that_can_be_read() {
        let base = Base { folder: "/".into(), home: None };
        for (plan, text) in AMAZON_POOLS {
            let pools = Walk::new("", &base).default_value(&POOLS.form, text);
            assert!(matches!(pools, Some(Value::List(list)) if !list.is_empty()), "{plan}");
        }
    }
}
