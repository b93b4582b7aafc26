#!/usr/bin/env bash
# The whole migration on this machine: the legacy forum, the three services taken out of it, and
# strangler in front of them.
#
#   ./demo.sh            runs until Ctrl-C; data and logs stay in .demo/
#   ./demo.sh --smoke    the same on a copy of routes/ and free ports; sends requests through every
#                        module at 0, 25 and 100 percent, reads and writes, moves the writes of
#                        modules there and back, compares both sides' rows, stops; exit 0 or 1
#   ./demo.sh --help     this text
set -euo pipefail

SELF=$(realpath "$0")
readonly SELF
cd "$(dirname "$SELF")"

readonly BUILD=build/release
readonly CERTIFICATE=routes/certs/dev.pem
readonly KEY=routes/certs/dev.key
readonly START_SECONDS=30
readonly STOP_SECONDS=15
readonly SERVICES=(users threads posts)
readonly COMMANDS=(flip reconcile)

# Which port each address of routes/ has; --smoke takes free ones instead.
declare -A ports=([monolith]=3000 [users]=3001 [threads]=3002 [posts]=3003
    [tls]=8443 [plain]=8080 [admin]=9901)
declare -A pids=()
folder=.demo
routes=routes

fail()
{
    printf 'demo.sh: %s\n' "$*" >&2
    exit 1
}

build()
{
    cmake/configure.sh release
    cmake --build "$BUILD" --target strangler monolith_stub "${SERVICES[@]}" "${COMMANDS[@]}"
}

make_certificate()
{
    if openssl x509 -checkend 86400 -noout -in "$CERTIFICATE" >/dev/null 2>&1 && [[ -e $KEY ]]; then
        return
    fi
    mkdir -p "$(dirname "$CERTIFICATE")"
    printf '*\n' >"$(dirname "$CERTIFICATE")/.gitignore"
    rm -f "$KEY"
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
            -keyout "$KEY" -out "$CERTIFICATE" 2>/dev/null
    ) || fail "openssl could not make $CERTIFICATE"
    chmod 644 "$CERTIFICATE"
}

is_listening()
{
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

refuse_taken_ports()
{
    local name taken=()
    for name in "${!ports[@]}"; do
        if is_listening "${ports[$name]}"; then
            taken+=("${ports[$name]} ($name)")
        fi
    done
    if [[ ${#taken[@]} -gt 0 ]]; then
        fail "something else listens on these ports of 127.0.0.1: $(printf '%s\n' "${taken[@]}" |
            sort -n | paste -sd, | sed 's/,/, /g'). \`ss -ltnp\` shows what; stop it first." \
            "Nothing was started."
    fi
}

start()
{
    local name=$1
    shift
    : >"$folder/$name.log"
    "$@" </dev/null >"$folder/$name.log" 2>&1 &
    pids[$name]=$!
}

name_of()
{
    local name
    for name in "${!pids[@]}"; do
        if [[ ${pids[$name]} == "$1" ]]; then
            printf '%s' "$name"
        fi
    done
}

fail_with_log()
{
    printf 'demo.sh: %s; the end of %s:\n' "$2" "$folder/$1.log" >&2
    tail -n 20 "$folder/$1.log" >&2
    exit 1
}

# wait_until NAME CONDITION…: until the condition holds, as long as the process NAME lives.
wait_until()
{
    local name=$1 deadline=$((SECONDS + START_SECONDS))
    shift
    until "$@"; do
        if ! kill -0 "${pids[$name]}" 2>/dev/null; then
            fail_with_log "$name" "$name ended before it was ready"
        fi
        if ((SECONDS >= deadline)); then
            fail_with_log "$name" "$name was not ready within $START_SECONDS s"
        fi
        sleep 0.05
    done
}

says_ready()
{
    grep -q '^ready ' "$folder/$1.log"
}

proxy_is_ready()
{
    curl -fso /dev/null --max-time 2 "http://127.0.0.1:${ports[admin]}/ready"
}

origin()
{
    printf 'http://127.0.0.1:%s' "${ports[$1]}"
}

# Where flip, which the proxy runs, and reconcile find the applications.
export_origins()
{
    FORUM_LEGACY=$(origin monolith) FORUM_USERS=$(origin users)
    FORUM_THREADS=$(origin threads) FORUM_POSTS=$(origin posts)
    export FORUM_LEGACY FORUM_USERS FORUM_THREADS FORUM_POSTS
}

# start_service NAME SIBLING…: a service copies rows of its siblings, too.
start_service()
{
    local name=$1 sibling arguments=()
    shift
    for sibling in "$@"; do
        arguments+=("--$sibling" "$(origin "$sibling")")
    done
    start "$name" "$BUILD/extracted/$name/$name" --listen "127.0.0.1:${ports[$name]}" \
        --database "$folder/$name.db" --monolith "$(origin monolith)" "${arguments[@]}"
}

start_all()
{
    local name
    export_origins
    start monolith "$BUILD/monolith_stub/monolith_stub" --listen "127.0.0.1:${ports[monolith]}" \
        --database "$folder/monolith.db" --follow-users "$(origin users)" \
        --follow-threads "$(origin threads)" --follow-posts "$(origin posts)"
    wait_until monolith says_ready monolith
    start_service users
    start_service threads users
    start_service posts users threads
    for name in "${SERVICES[@]}"; do
        wait_until "$name" says_ready "$name"
    done
    start proxy "$BUILD/proxy/strangler" run "$routes/"
    wait_until proxy proxy_is_ready
}

# The proxy first, so that it is not asked for what is gone.
stop_all()
{
    local name deadline=$((SECONDS + STOP_SECONDS))
    for name in proxy "${SERVICES[@]}" monolith; do
        if [[ -z ${pids[$name]:-} ]]; then
            continue
        fi
        kill -TERM "${pids[$name]}" 2>/dev/null || true
        while kill -0 "${pids[$name]}" 2>/dev/null && ((SECONDS < deadline)); do
            sleep 0.05
        done
        kill -KILL "${pids[$name]}" 2>/dev/null || true
        wait "${pids[$name]}" 2>/dev/null || true
    done
    pids=()
}

stop_on_exit()
{
    trap stop_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

print_welcome()
{
    cat <<END

The forum behind strangler:

  https://localhost:${ports[tls]}/forum       (its certificate: $CERTIFICATE)
  http://localhost:${ports[plain]}/forum       HTTP/2 with prior knowledge
  http://127.0.0.1:${ports[admin]}/metrics

Five commands to try in another terminal:

  curl -w '\\n' --cacert $CERTIFICATE https://localhost:${ports[tls]}/api/users/1
  $BUILD/proxy/strangler explain GET /api/users/1 --from 192.0.2.7
  $BUILD/proxy/strangler status
  $BUILD/proxy/strangler check && $BUILD/proxy/strangler reload     # after editing $routes/*.cfg
  $BUILD/extracted/reconcile/reconcile     # do both sides hold the same?

Logs and data are in $folder/, the access log in $folder/proxy.log, what the proxy has to remember in
state/. Ctrl-C ends everything; after \`rm -r $folder state\` the next start is the first one again.
END
}

# Sets `ended` to the next program that ends; what bash itself says of it ("Killed") is left out.
wait_for_an_end()
{
    local pid
    { wait -n -p pid "${pids[@]}" || true; } 2>/dev/null
    ended=$(name_of "$pid")
    unset "pids[$ended]"
}

# A service may end, as in a migration that goes wrong; without the other two there is no demo.
run_until_proxy_or_monolith_ends()
{
    local ended
    print_welcome
    wait_for_an_end
    while [[ $ended != proxy && $ended != monolith ]]; do
        printf 'demo.sh: %s ended (%s); the rest goes on\n' "$ended" "$folder/$ended.log" >&2
        wait_for_an_end
    done
    fail_with_log "$ended" "$ended ended, everything else is stopped"
}

take_free_ports()
{
    local name port
    while read -r name port; do
        ports[$name]=$port
    done < <(python3 - "${!ports[@]}" <<'END'
import contextlib, random, socket, sys
held = []  # outside of the range from which the kernel takes ports for connections to others
while len(held) < len(sys.argv) - 1:
    with contextlib.suppress(OSError):
        held.append(socket.create_server(("127.0.0.1", random.randrange(12000, 32000))))
for name, server in zip(sys.argv[1:], held):
    print(name, server.getsockname()[1])
END
    )
}

# The files of routes/ with the addresses, the state and the log of this run.
copy_routes()
{
    local edits=() name
    for name in "${!ports[@]}"; do
        edits+=(-e "s/\"[^\"]*:${ports[$name]}\"/\"127.0.0.1:@$name@\"/g")
    done
    take_free_ports
    for name in "${!ports[@]}"; do
        edits+=(-e "s/:@$name@\"/:${ports[$name]}\"/g")
    done
    edits+=(-e "s#^\( *state_dir *= *\)\"[^\"]*\"#\1\"$PWD/$folder/state\"#")
    edits+=(-e '/^ *access_log *[:=]/d' -e "s#\"\.\./build/#\"$PWD/build/#")
    mkdir -p "$routes/certs"
    for name in routes/*.cfg; do
        sed "${edits[@]}" "$name" >"$routes/$(basename "$name")"
    done
    printf 'access_log: { path = "%s"; format = "json"; };\n' "$PWD/$folder/access.log" \
        >"$routes/99-smoke.cfg"
    cp "$CERTIFICATE" "$KEY" "$routes/certs/"
}

check_nothing_listens()
{
    local name
    for name in "${!ports[@]}"; do
        if is_listening "${ports[$name]}"; then
            fail "port ${ports[$name]} ($name) is still open after the end"
        fi
    done
}

smoke()
{
    local status=0
    folder=.demo/smoke
    routes=$folder/routes
    rm -rf "$folder"
    mkdir -p "$folder"
    copy_routes
    stop_on_exit
    start_all
    python3 -B tests/smoke/smoke.py --tls "${ports[tls]}" --plain "${ports[plain]}" \
        --admin "${ports[admin]}" --monolith "${ports[monolith]}" --users "${ports[users]}" \
        --threads "${ports[threads]}" --posts "${ports[posts]}" --proxy-pid "${pids[proxy]}" \
        --routes "$routes" --access-log "$folder/access.log" --certificate "$CERTIFICATE" \
        --reconcile "$BUILD/extracted/reconcile/reconcile" ||
        status=$?
    local name
    for name in "${!pids[@]}"; do
        kill -0 "${pids[$name]}" 2>/dev/null || fail_with_log "$name" "$name ended on the way"
    done
    stop_all
    check_nothing_listens
    if [[ $status -eq 0 ]]; then
        printf 'smoke: all is well\n'
    else
        printf 'smoke: the logs are in %s/\n' "$folder" >&2
    fi
    return "$status"
}

main()
{
    case ${1:-} in
    "")
        ./install.sh build
        refuse_taken_ports
        build
        make_certificate
        mkdir -p "$folder"
        stop_on_exit
        start_all
        run_until_proxy_or_monolith_ends
        ;;
    --smoke)
        ./install.sh build test
        build
        make_certificate
        smoke
        ;;
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$SELF"
        ;;
    *)
        fail "usage: ./demo.sh [--smoke]"
        ;;
    esac
}

main "$@"
