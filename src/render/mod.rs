//! Turns answers into text. Everything here is a plain function of values, so that tests compare strings.

pub mod adopted;
pub mod codes;
pub mod dry_run;
pub mod exported;
pub mod guard;
pub mod item;
pub mod key;
pub mod leaving;
pub mod moment;
pub mod paint;
pub mod pools;
pub mod restored;
pub mod safety;
pub mod sign_in;
pub mod status;
pub mod summary;
pub mod table;
pub mod text;
pub mod traits;
