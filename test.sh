#!/usr/bin/env bash
# Builds and runs every test: all of them under the address and undefined-behaviour sanitizers, then
# those with the label "threads" under the thread sanitizer.
#
#   ./test.sh [ctest options]       for example ./test.sh -R unit_core
#   ./test.sh --help                this text
#
# It builds everything first, whatever the options.
set -euo pipefail

SELF=$(realpath "$0")
readonly SELF
cd "$(dirname "$SELF")"

readonly TESTS_AT_ONCE=2 # each runs several programs; more cores build faster, but test no faster
# Every process of the tests inherits this, so that those left behind can be told from others'.
readonly MARK=STRANGLER_TEST_RUN=$$

# The thread sanitizer of gcc 12 does not start where the kernel scatters addresses widely.
fixed_addresses=()
if setarch --addr-no-randomize true 2>/dev/null; then
    fixed_addresses=(setarch --addr-no-randomize)
fi

build()
{
    cmake/configure.sh "$1"
    cmake --build --preset "$1" -- -j "$(nproc)"
}

# What drives the browser, as tests/browser/package-lock.json wants it.
install_browser_modules()
{
    local lock=tests/browser/package-lock.json place=build/browser
    if cmp -s "$lock" "$place/installed-lock.json"; then
        return
    fi
    mkdir -p "$place"
    cp "$lock" tests/browser/package.json "$place/"
    npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund --silent </dev/null
    cp "$lock" "$place/installed-lock.json"
}

run_tests()
{
    local preset=$1
    shift
    env "$MARK" "${fixed_addresses[@]}" \
        ctest --preset "$preset" -j "$TESTS_AT_ONCE" --timeout 300 --no-tests=error "$@" </dev/null
}

has_tests()
{
    local preset=$1 listed
    shift
    listed=$(ctest --preset "$preset" -N "$@" </dev/null) || return 1
    [[ $listed != *"Total Tests: 0"* ]]
}

end_leftovers()
{
    local environment pid status=0
    for environment in /proc/[0-9]*/environ; do
        if grep -qzx "$MARK" "$environment" 2>/dev/null; then
            pid=${environment//[!0-9]/}
            if timeout 2 tail -s 0.1 --pid="$pid" -f /dev/null; then
                continue # it was on its way out
            fi
            printf 'test.sh: a test left process %s behind: %s\n' "$pid" \
                "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" >&2
            kill -KILL "$pid" 2>/dev/null || true
            status=1
        fi
    done
    return "$status"
}

main()
{
    local status=0
    if [[ ${1:-} == --help || ${1:-} == -h ]]; then
        sed -n '2,/^set /s/^# \{0,1\}//p' "$SELF"
        return
    fi
    ./install.sh build test
    install_browser_modules
    build debug
    build tsan
    run_tests debug "$@" || status=1
    if has_tests tsan -L threads "$@"; then
        run_tests tsan -L threads "$@" || status=1
    fi
    end_leftovers || status=1
    return "$status"
}

main "$@"
