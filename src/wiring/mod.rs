//! From the config to what the engine is handed.

mod bandwidth;
pub mod exports;
mod job;
mod nesting;
mod opener;
mod renewal;
mod rules;
mod sandbox;
mod service;
mod settings;
mod shelves;
mod still_there;

pub use bandwidth::Bandwidth;
pub use job::{mirror_job, mirror_options};
pub use nesting::{check as check_nesting, check_folder, neighbours};
pub use opener::{Opener, signing_in};
pub use rules::{deletions, filter, pattern};
pub use service::open_service;
pub use settings::without_secrets;
pub use shelves::{Shelves, rules as leaving_rules};
