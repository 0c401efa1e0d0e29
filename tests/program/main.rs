//! The program as a user meets it: every test starts the built binary in a home of its own, with real folders
//! and the S3 server that the program brings along.
//!
//! `home` is what the tests stand on; each of the other files is about one side of the program. Everything that
//! needs no process is tested in the crates, where it is far quicker.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod amazon;
mod auth;
mod bad_input;
mod config_commands;
mod destinations;
mod exit_codes;
mod exporting;
mod first_example;
mod gone;
mod home;
mod interrupted;
mod leaving;
mod looking;
mod rebuild;
mod rehearsal;
mod restoring;
mod samples;
mod secrets;
