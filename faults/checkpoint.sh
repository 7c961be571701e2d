#!/usr/bin/env bash
# Disk full, read-only folder, checkpoints truncated or bit-flipped, SIGTERM. Each line: what was done, what the program said.
#   faults/checkpoint.sh
set -uo pipefail
cd "$(dirname "$0")/.."
. faults/classpath.sh
work=$(mktemp -d)
mounted=
trap '[ -n "$mounted" ] && umount "$mounted"; rm -rf "$work"' EXIT
failed=0
check() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then echo "ok    $name"; else echo "WRONG $name"; failed=1; fi
}
says() { grep -q -- "$1" "$work/log"; }
export STEPS=6

tiny "$work/straight" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
expected=$(masters "$work/straight")
half() { # a run that stops after three steps
    rm -rf "$work/run"
    STEPS=6 tiny "$work/run" > "$work/log" 2>&1 &
    local job=$!
    while [ ! -d "$work/run/checkpoints/step-00000003" ]; do sleep 0.05; done
    pkill -TERM -P $job java
    wait $job
    code=$?
}

half
check "SIGTERM: exit code 75, a checkpoint" [ $code -eq 75 ]
tiny "$work/run" --resume > "$work/log" 2>&1
check "SIGTERM: --resume ends with the bits of an uninterrupted run" [ "$(masters "$work/run")" = "$expected" ]

for damage in truncated flipped missing; do
    half
    newest=$(ls -d "$work"/run/checkpoints/step-* | tail -n 1)
    case $damage in
        truncated) truncate -s 1000 "$newest/masters.safetensors" ;;
        flipped) printf '\x55' | dd of="$newest/optimizer.safetensors" bs=1 seek=700 conv=notrunc 2> /dev/null ;;
        missing) rm "$newest/random.safetensors" ;;
    esac
    tiny "$work/run" --resume > "$work/log" 2>&1
    check "newest checkpoint $damage: named, passed over" says "$(basename "$newest") does not match its checksums; going on from step-"
    check "newest checkpoint $damage: same bits in the end" [ "$(masters "$work/run")" = "$expected" ]
done

half
for f in "$work"/run/checkpoints/step-*/masters.safetensors; do truncate -s 10 "$f"; done
tiny "$work/run" --resume > "$work/log" 2>&1
code=$?
check "every checkpoint damaged: refused, not begun anew" says "matches its checksums"
check "every checkpoint damaged: exit code 3" [ $code -eq 3 ]

if [ "$(id -u)" -eq 0 ]; then
    mkdir "$work/small"
    mount -t tmpfs -o size=1100k tmpfs "$work/small" 2> /dev/null && mounted=$work/small
fi
if [ -n "$mounted" ]; then
    tiny "$mounted/run" > "$work/log" 2>&1
    code=$?
    check "disk full: exit code 3, one line" [ $code -eq 3 ]
    tail -n 1 "$work/log"
    cp -r "$mounted/run" "$work/rescued"
    umount "$mounted"
    mounted=
    tiny "$work/rescued" --resume > "$work/log" 2>&1
    check "disk full: what was written resumes to the same bits" [ "$(masters "$work/rescued")" = "$expected" ]
    mkdir "$work/readonly"
    mount -t tmpfs -o ro tmpfs "$work/readonly" && mounted=$work/readonly
    tiny "$mounted/run" > "$work/log" 2>&1
    code=$?
    check "read-only folder: exit code 3 before any step" [ $code -eq 3 ]
    tail -n 1 "$work/log"
else
    echo "left out: disk full and read-only folder need root and mount"
fi
exit $failed
