#!/usr/bin/env bash
# Measures strangler beside nginx, nghttpx and haproxy on this machine's loopback interface.
#
#   bench/run.sh [--quick] [--runs N] [--requests N] [--workload NAMES] [--peers NAMES] …
#
# bench/README.md says how to read the table; bench/run.sh --help lists every option.
set -euo pipefail

cd "$(dirname "$(realpath "$0")")/.."
readonly BUILD=build/release

./install.sh build bench
{
    if [[ ! -e $BUILD/build.ninja ]]; then
        cmake --preset release
    fi
    cmake --build "$BUILD" --target strangler bench_backend
} >&2

exec python3 -B bench/compare.py --backend "$BUILD/bench/bench_backend" \
    --strangler "$BUILD/proxy/strangler" "$@"
