//! Mirror: scan, inspect, plan, transfer, record, report.

mod carry;
mod choose;
mod deliver;
mod dispatch;
mod guard;
mod in_order;
mod inspect;
mod lane;
mod ledger;
mod plan;
mod pump;
mod record;
mod rejoin;
mod removals;
mod report;
mod rounds;
mod run;
mod scan;
mod source;
mod stage;
mod transfer;

pub use report::{DestinationReport, DestinationState, GuardTripped, RunReport, exit_code_of};
pub use run::mirror;
pub(crate) use scan::scan;
pub(crate) use source::Source;
