//! What happens inside, on stderr: `-v`, `-vv`, `-q`, or a filter in `SAFELIGHT_LOG`.

use std::sync::Arc;

use tracing_subscriber::EnvFilter;

use crate::args::Global;
use crate::output::{LogWriter, Output};

/// Starts the log. A filter that makes no sense is replaced by the usual one.
pub fn start(global: &Global, out: &Arc<Output>) {
    let usual = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "error,safelight=warn",
        (_, 1) => "warn,safelight=info",
        (_, 2) => "info,safelight=debug",
        _ => "debug,safelight=trace",
    };
    let asked = std::env::var("SAFELIGHT_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = asked
        .and_then(|filter| EnvFilter::try_new(filter).ok())
        .unwrap_or_else(|| EnvFilter::new(usual));
    let writer = LogWriter(Arc::clone(out));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(out.colours_talk())
        .with_writer(move || writer.clone())
        .init();
}
