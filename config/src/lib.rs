//! The config file of Safelight: TOML text in, checked jobs out, every error with its position.
//!
//! The way of a file: [`toml`] parses it with positions; `check` walks it along the one list of settings
//! (`settings`) into a typed tree with defaults; `complete` fills in what depends on other settings; `rules`
//! checks what concerns several settings; `read` makes the [`Config`]. The same list of settings gives
//! [`schema`], the suggestions, and what [`Config::show`] and [`Config::redacted`] print.
//!
//! Invariants: nothing in a file is ignored; all problems of a file come in one [`Report`]; checking looks at no
//! other file, no network, no environment and no secret; a secret written into the file is never shown.
//! Only [`Config::load`] reads the config file, and only [`secrets`] fetches and keeps secrets.
//!
//! ```
//! use std::path::Path;
//! use safelight_config::{Config, Env};
//!
//! let text = r#"
//!     version = 1
//!     [library]
//!     path = "~/Pictures"
//!     [destination.disk]
//!     type = "disk"
//!     path = "/media/PHOTOS"
//! "#;
//! let env = Env::new("/", [("HOME", "/home/anna")]);
//! let config = Config::parse(text, Path::new("safelight.toml"), &env).expect("a good file");
//! assert_eq!(config.library.path, Path::new("/home/anna/Pictures"));
//! assert_eq!(config.jobs[0].to, ["disk"]);
//! ```

mod amazon;
mod check;
pub mod codes;
mod complaints;
mod complete;
mod config;
mod definition;
mod destination;
mod env;
mod export;
mod hide;
mod job;
mod library;
mod overlap;
mod place;
mod read;
mod references;
mod report;
mod rules;
mod schema;
pub mod secrets;
mod settings;
mod show;
mod suggest;
mod tree;
pub mod units;
mod words;

pub use amazon::{AmazonEndpoint, AmazonPhotos, AmazonPlan};
pub use config::Config;
pub use destination::{
    Destination, Disk, DiskPlace, Dropbox, DropboxEndpoint, DropboxKey, Endpoint, OpenDal,
    OptionValue, Pool, PoolLimit, S3, S3Keys, Storage, WhenFull,
};
pub use env::{Env, Paths, find_config};
pub use export::{Albums, Export, TODAY, usual_path};
pub use job::{
    BandwidthRule, Changes, Deletions, Direction, Guard, Limits, Mirror, Propagate, Window,
};
pub use library::{Filter, Library, Media, Rule, Safety, Symlinks};
pub use report::{Problem, Report};
pub use schema::schema;
pub use secrets::SecretRef;
pub use suggest::nearest;
pub use tree::Origin;
