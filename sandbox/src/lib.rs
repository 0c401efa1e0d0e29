//! Loopback stand-ins for services: try-out without accounts, and tests.
