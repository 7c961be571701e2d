#!/usr/bin/env bash
# Trains the tiny model for so many seconds: resident memory, open files and step time must not drift.
#   faults/endurance.sh [SECONDS, default 1200] [PROCESSES, default 1]
set -uo pipefail
cd "$(dirname "$0")/.."
. faults/classpath.sh
seconds=${1:-1200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
STEPS=1000000 tiny "$work/run" --set checkpoint.every=200 --processes "${2:-1}" > "$work/log" 2>&1 &
job=$!
handles=$work/handles
started=$SECONDS
while [ $((SECONDS - started)) -lt "$seconds" ]; do
    sleep 5
    rank=$(pgrep -P $job java | head -n 1)
    if [ -z "$rank" ]; then
        tail -n 5 "$work/log"
        echo "the training is over after $((SECONDS - started)) s"
        exit 1
    fi
    child=$(pgrep -P "$rank" java | head -n 1)
    ls "/proc/${child:-$rank}/fd" 2> /dev/null | wc -l >> "$handles"
done
pkill -TERM -P $job java
wait $job
echo "exit code $?"
awk -v handles="$handles" '
    function median(a, from, to,    i, j, n, t, s) {
        n = 0
        for (i = from; i < to; i++) s[n++] = a[i]
        for (i = 1; i < n; i++) { t = s[i]; for (j = i - 1; j >= 0 && s[j] > t; j--) s[j + 1] = s[j]; s[j + 1] = t }
        return s[int(n / 2)]
    }
    BEGIN { n = 0 }
    match($0, /"imagesPerSecond":[0-9.E-]+/) { speed[n] = substr($0, RSTART + 18, RLENGTH - 18) }
    match($0, /"rssBytes":[0-9]+/) { rss[n++] = substr($0, RSTART + 11, RLENGTH - 11) / 1048576 }
    END {
        while ((getline line < handles) > 0) fd[m++] = line
        print n " steps"
        w = n < 4000 ? int(n / 4) : 1000
        a = int(n / 10); b = n - w
        printf "resident memory MiB, median: %.0f from step %d, %.0f in the last %d steps\n", median(rss, a, a + w), a, median(rss, b, n), w
        printf "step time ms, median: %.1f from step %d, %.1f in the last %d steps\n", 4000 / median(speed, a, a + w), a, 4000 / median(speed, b, n), w
        print "open files: " fd[int(m / 10)] " after a tenth, " fd[m - 1] " at the end"
    }' "$work/run/metrics.jsonl"
