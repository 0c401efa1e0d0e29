#!/usr/bin/env bash
# A run with nothing new over 100,000 files and three destinations, against a bare `find` over the same tree.
# Needs hyperfine and 3 GB of room below TMPDIR (a tmpfs for steady figures).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p safelight -p safelight-bench --bins
bin=$(realpath "${CARGO_TARGET_DIR:-target}")/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/safelight-bench" tree "$work/library" 100000
cat > "$work/safelight.toml" <<'TOML'
version = 1
state = "state"
[library]
path = "library"
[destination.one]
type = "disk"
path = "one"
[destination.two]
type = "disk"
path = "two"
[destination.three]
type = "disk"
path = "three"
TOML
cd "$work"
"$bin/safelight" mirror -c safelight.toml --progress none
hyperfine -N -w 2 -r 10 "$bin/safelight mirror -c safelight.toml --progress none" \
  "find library -printf '%p %s %T@ %C@ %i\n'"
