#!/usr/bin/env bash
# Measures strangler beside nginx, nghttpx, haproxy and h2o on this machine's loopback interface.
#
#   bench/run.sh [--quick] [--runs N] [--requests N] [--workload NAMES] [--peers NAMES] …
#
# bench/README.md says how to read the table; bench/run.sh --help lists every option.
set -euo pipefail

SELF=$(realpath "$0")
ROOT=$(dirname "$(dirname "$SELF")")
readonly SELF ROOT
readonly BUILD=$ROOT/build/release

for word in "$@"; do
    if [[ $word == --help || $word == -h ]]; then
        sed -n '2,/^set /s/^# \{0,1\}//p' "$SELF"
        if command -v python3 >/dev/null; then
            exec python3 -B "$ROOT/bench/compare.py" --help
        fi
        exit
    fi
done

"$ROOT/install.sh" build bench
(
    cd "$ROOT"
    cmake/configure.sh release
    cmake --build "$BUILD" --target strangler bench_backend bench_load
) >&2

# Paths among the arguments are those of the folder that this was called in.
exec python3 -B "$ROOT/bench/compare.py" --backend "$BUILD/bench/bench_backend" \
    --load "$BUILD/bench/bench_load" \
    --strangler "$BUILD/proxy/strangler" "$@"
