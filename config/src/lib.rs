//! TOML text to checked jobs, every error with its position.
