#!/usr/bin/env bash
# Builds and runs every test: all of them under the address and undefined-behaviour sanitizers, then
# those with the label "threads" under the thread sanitizer.
#
#   ./test.sh [ctest options]       for example ./test.sh -R unit_core
set -euo pipefail

cd "$(dirname "$(realpath "$0")")"

readonly JOBS=2

# The thread sanitizer of gcc 12 does not start where the kernel scatters addresses widely.
fixed_addresses=()
if setarch --addr-no-randomize true 2>/dev/null; then
    fixed_addresses=(setarch --addr-no-randomize)
fi

build()
{
    if [[ ! -e build/$1/build.ninja ]]; then
        cmake --preset "$1"
    fi
    cmake --build --preset "$1" -- -j "$JOBS"
}

run_tests()
{
    local preset=$1
    shift
    "${fixed_addresses[@]}" ctest --preset "$preset" -j "$JOBS" --timeout 300 "$@" </dev/null
}

main()
{
    local status=0
    ./install.sh build test
    build debug
    build tsan
    run_tests debug --no-tests=error "$@" || status=1
    run_tests tsan --no-tests=ignore -L threads "$@" || status=1
    return "$status"
}

main "$@"
