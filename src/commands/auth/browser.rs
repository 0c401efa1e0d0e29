//! Opening a page in the user's browser, as far as there is one.

use std::process::{Command, Stdio};

use safelight_config::Env;

/// Asks the system to show a page; whether it was asked. Whether a window opens is never known.
pub fn open(url: &str, env: &Env) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // Without a display, xdg-open starts text browsers that nobody sees.
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env.get(name).is_some());
    if !cfg!(target_os = "macos") && !display {
        return false;
    }
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Nobody waits for it: some systems keep it running as long as the browser.
    command.spawn().is_ok()
}
