#!/usr/bin/env bash
# Installs the Debian 12 packages that this project needs and that are not there yet.
#
#   ./install.sh [build] [test] [bench]      (default: build)
#   ./install.sh --help                      this text
#
# With nothing missing it only asks dpkg. Needs root or sudo otherwise. No package that it installs
# starts a daemon, now or at the next boot; what was running before is left alone.
set -euo pipefail

readonly BUILD_PACKAGES=(
    gcc libc6-dev cmake ninja-build pkg-config
    make # with it gcc links a whole program on all cores
    libnghttp2-dev libev-dev libssl-dev libpcre2-dev libconfig-dev libxxhash-dev libjansson-dev
    libc-ares-dev libmicrohttpd-dev libsqlite3-dev libcurl4-openssl-dev zlib1g-dev libbrotli-dev node-llhttp libcmocka-dev openssl curl
    ca-certificates
)
readonly TEST_PACKAGES=(
    clang libclang-rt-14-dev clang-format nghttp2-client varnish python3 valgrind procps git
    chromium fonts-dejavu-core wrk python3-httpx python3-h2
)
# Of Debian or of anybody else, as long as there is an npm.
readonly NODE_PACKAGES=(nodejs npm)
readonly BENCH_PACKAGES=(nghttp2-client python3 nginx nghttp2-proxy nghttp2-server haproxy h2o)
# Services that come with the packages above, and that we want only as programs.
readonly SERVICES=(nginx nghttpx haproxy h2o varnish varnishncsa)

readonly POLICY=/usr/sbin/policy-rc.d
readonly LOCK=/run/lock/strangler-install.lock
policy_is_ours=no

fail()
{
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

packages_of()
{
    case $1 in
    build) printf '%s\n' "${BUILD_PACKAGES[@]}" ;;
    test)
        printf '%s\n' "${TEST_PACKAGES[@]}"
        command -v npm >/dev/null || printf '%s\n' "${NODE_PACKAGES[@]}"
        ;;
    bench) printf '%s\n' "${BENCH_PACKAGES[@]}" ;;
    *) fail "unknown set '$1'; use build, test or bench" ;;
    esac
}

# The packages of the sets named as arguments that dpkg does not hold as installed, one a line.
missing_packages()
{
    local set_name wanted installed
    mapfile -t wanted < <(for set_name in "$@"; do packages_of "$set_name"; done | sort -u)
    # dpkg-query fails when it knows nothing of one name; its list is right all the same.
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
        sed -n 's/^installed //p' | sort -u) || true
    comm -23 <(printf '%s\n' "${wanted[@]}") <(printf '%s\n' "$installed")
}

remove_policy()
{
    if [[ $policy_is_ours == yes ]]; then
        rm -f "$POLICY"
        policy_is_ours=no
    fi
}

# invoke-rc.d asks this program before a package script starts, stops or restarts a service.
forbid_daemons()
{
    if [[ -e $POLICY ]]; then
        return
    fi
    policy_is_ours=yes
    trap remove_policy EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

service_scripts()
{
    local service
    for service in "${SERVICES[@]}"; do
        if [[ -e /etc/init.d/$service ]]; then
            printf '%s\n' "$service"
        fi
    done
}

# A service that this installation brought must not come up with the next boot either.
disable_new_services()
{
    local before=$1 service
    while read -r service; do
        if [[ -n $service ]]; then
            update-rc.d "$service" disable || printf 'install.sh: %s stays enabled\n' "$service" >&2
        fi
    done < <(comm -13 <(printf '%s\n' "$before" | sort) <(service_scripts | sort))
}

apt()
{
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

install_packages()
{
    local services_before
    services_before=$(service_scripts)
    apt update || fail "apt-get update failed; is a Debian 12 mirror reachable?"
    forbid_daemons
    apt install -y --no-install-recommends "$@" ||
        fail "apt-get could not install: $* (the names are those of Debian 12)"
    disable_new_services "$services_before"
    remove_policy
}

main()
{
    local sets=("$@") missing
    if [[ ${1:-} == --help || ${1:-} == -h ]]; then
        sed -n '2,/^set /s/^# \{0,1\}//p' "$(realpath "$0")"
        return
    fi
    if [[ ${#sets[@]} -eq 0 ]]; then
        sets=(build)
    fi
    local set_name
    for set_name in "${sets[@]}"; do
        packages_of "$set_name" >/dev/null
    done

    mapfile -t missing < <(missing_packages "${sets[@]}")
    if [[ ${#missing[@]} -eq 0 ]]; then
        return
    fi
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null ||
            fail "these packages are missing, and there is neither root nor sudo: ${missing[*]}"
        exec sudo -- bash "$(realpath "$0")" "${sets[@]}"
    fi

    # One installation at a time: two would undo each other's policy.
    exec 9>"$LOCK"
    flock 9
    mapfile -t missing < <(missing_packages "${sets[@]}")
    if [[ ${#missing[@]} -gt 0 ]]; then
        printf 'install.sh: installing %s\n' "${missing[*]}" >&2
        install_packages "${missing[@]}"
    fi
}

main "$@"
