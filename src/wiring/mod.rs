//! From the config to what the engine is handed.

mod bandwidth;
mod job;
mod nesting;
mod opener;
mod rules;
mod sandbox;
mod settings;

pub use bandwidth::Bandwidth;
pub use job::{mirror_job, mirror_options};
pub use nesting::{check as check_nesting, neighbours};
pub use opener::{Opener, signing_in};
pub use rules::{deletions, filter, pattern};
pub use settings::without_secrets;
