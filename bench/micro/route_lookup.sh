#!/bin/sh
# Instructions per route lookup with 10 and with 10 000 prefix routes: route_lookup.sh [PROGRAM]
# Each figure is the difference between two numbers of lookups on the same table, so that building
# the table does not count. Exit status 1 when 10 000 routes cost more than 1.5 times what 10 cost.
set -eu

program=${1:-build/release/bench/micro/micro_route_lookup}
few=2560
many=12800
limit=1.5

# Instructions of one run: --lookups and whatever else is given
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 >/dev/null |
        sed -n 's/.*Collected *: *//p'
}

# Instructions per lookup on a table
per_lookup() {
    before=$(instructions --lookups $few "$@")
    after=$(instructions --lookups $many "$@")
    awk -v a="$before" -v b="$after" -v n=$((many - few)) 'BEGIN { printf "%.1f", (b - a) / n }'
}

ten=$(per_lookup --routes 10)
thousands=$(per_lookup --routes 10000)
regexes=$(per_lookup --routes 0 --regexes 100)

echo "10 prefix routes:      $ten instructions per lookup"
echo "10000 prefix routes:   $thousands instructions per lookup"
echo "100 regexes, no index: $regexes instructions per lookup (for information)"
awk -v few="$ten" -v many="$thousands" -v limit=$limit 'BEGIN {
    ratio = many / few
    printf "ratio: %.2f (at most %.2f)\n", ratio, limit
    exit ratio > limit ? 1 : 0
}'
