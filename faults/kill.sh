#!/usr/bin/env bash
# kill -9 of a random rank, of the launcher, or of everything, at random moments of a training on two processes; then --resume.
# Promised: what is left ends within 30 s, a line names the rank, and the finished run has the bits of an uninterrupted one.
#   faults/kill.sh [KILLS, default 100] [SEED, default 1] [METHOD of faults/classpath.sh, default diva]
# The uninterrupted run is made on one process as well, which must have the same bits.
set -uo pipefail
cd "$(dirname "$0")/.."
. faults/classpath.sh
kills=${1:-100}
RANDOM=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
now() { date +%s%N; }

mkdir "$work/teacher"
method "${3:-diva}" "$work/teacher" || exit 2

tiny "$work/one" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
began=$(now)
tiny "$work/straight" --processes 2 > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
length=$((($(now) - began) / 1000000))
expected=$(masters "$work/straight")
echo "uninterrupted: $length ms, masters $expected"
[ "$(masters "$work/one")" = "$expected" ] || { echo "one process gave $(masters "$work/one")"; exit 1; }

done_kills=0 finished=0 wrong=0 unnamed=0 slowest=0 early=0
declare -A hit=([rank]=0 [launcher]=0 [all]=0)
run=0
out=$work/run0
while [ "$done_kills" -lt "$kills" ]; do
    resume=
    [ -f "$out/recipe.yaml" ] && resume=--resume
    tiny "$out" --processes 2 $resume > "$work/log" 2>&1 &
    job=$!
    began=$(now)
    sleep "$(awk -v ms=$((RANDOM * length / 32768 + 300)) 'BEGIN { print ms / 1000 }')"
    # The function runs in a subshell; the launcher is its child and the ranks are the launcher's.
    launcher=$(pgrep -P $job java | head -n 1)
    ranks=($(pgrep -P "${launcher:-0}" java))
    if [ -z "$launcher" ] || [ ${#ranks[@]} -lt 2 ]; then # not started yet, or done already
        wait $job
        code=$?
        early=$((early + 1))
        [ -z "$resume" ] && length=$((($(now) - began) / 1000000)) # other work on the machine changes it
    else
        case $((RANDOM % 4)) in
            0) what=launcher victims=($launcher) ;;
            1) what=all victims=($launcher "${ranks[@]}") ;;
            *) what=rank victims=("${ranks[RANDOM % 2]}") ;;
        esac
        number=$(tr '\0' '\n' < "/proc/${victims[0]}/environ" 2> /dev/null | sed -n 's/^RANK=//p')
        kill -9 "${victims[@]}" 2> /dev/null
        killed_at=$(now)
        wait $job
        code=$?
        while kill -0 "${ranks[@]}" 2> /dev/null || kill -0 "${ranks[0]}" 2> /dev/null || kill -0 "${ranks[1]}" 2> /dev/null; do sleep 0.1; done
        took=$((($(now) - killed_at) / 1000000))
        [ $took -gt $slowest ] && slowest=$took
        done_kills=$((done_kills + 1))
        hit[$what]=$((hit[$what] + 1))
        [ $((done_kills % 10)) -eq 0 ] && echo "$done_kills kills, $finished runs finished, $wrong wrong, $unnamed unnamed, slowest $slowest ms"
        if [ $what = rank ] && [ $code -ne 0 ] && ! grep -q "rank $number of 2 was killed by signal 9" "$work/log"; then
            unnamed=$((unnamed + 1))
            cat "$work/log"
        fi
    fi
    if [ -d "$out/clip" ] || [ -d "$out/stage1" ]; then
        finished=$((finished + 1))
        [ "$(masters "$out")" = "$expected" ] || { wrong=$((wrong + 1)); echo "another result in run $run"; }
        rm -rf "$out"
        run=$((run + 1))
        out=$work/run$run
    elif [ ! -f "$out/recipe.yaml" ]; then
        rm -rf "$out" # killed before there was anything to lose
    fi
done
# The run that is still open is finished too.
resume=
[ -f "$out/recipe.yaml" ] && resume=--resume
tiny "$out" --processes 2 $resume > "$work/log" 2>&1 || cat "$work/log"
finished=$((finished + 1))
[ "$(masters "$out")" = "$expected" ] || { wrong=$((wrong + 1)); echo "another result in the last run"; }

echo "$done_kills kills: ${hit[rank]} of a rank, ${hit[launcher]} of the launcher, ${hit[all]} of all; $early moments fell outside a run"
echo "slowest end of what was left $slowest ms; ranks not named $unnamed"
echo "$finished runs finished, $wrong with other bits than the uninterrupted one"
[ $wrong -eq 0 ] && [ $unnamed -eq 0 ] && [ $slowest -le 30000 ]
