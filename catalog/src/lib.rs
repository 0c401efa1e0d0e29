//! SQLite: what is stored where, and how we know.
