#!/usr/bin/env bash
# Eight threads that call Clip.encodeImages with one picture each, against batches of eight; and one picture at a time. Random weights of ViT-L/14.
#   bench/server/run.sh WORK_FOLDER [fp32 | bf16 | int8]...
# THREADS=2 CLIENTS=8 ROUNDS=3 KIND=vit-l-14. Build first: ./mvnw -q package -DskipTests
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
shift
[ $# -gt 0 ] || set -- fp32 bf16
kind=${KIND:-vit-l-14}
"$root/bench/true-size.sh" "$work" "$kind" >&2
for precision; do
    "$root/bench/run.sh" dev.diva.bench.server.ServerBench "$work/$kind" "$precision" "${THREADS:-2}" "${CLIENTS:-8}" "${ROUNDS:-3}"
done
