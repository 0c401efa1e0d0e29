//! A folder or an external disk as a destination, and the library itself.
