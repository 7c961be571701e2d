#!/usr/bin/env bash
# Image encoding of diva, transformers and open_clip on the same random weights of ViT-L/14: speed, start, memory, ratios.
#   PYTHON=... bench/encode/run.sh WORK_FOLDER [fp32 | bf16 | int8]...      PYTHON has torch, transformers and open_clip_torch
# "diva encode" is the whole command with one picture, the median of three; its first embedding is its end.
# int8 is compared with the others' bf16, and needs a processor that "diva doctor" calls fit for it.
# THREADS=2 BATCH=16 REPEATS=3 KIND=vit-l-14. Build first: ./mvnw -q package -DskipTests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$1
shift
[ $# -gt 0 ] || set -- fp32 bf16
python=${PYTHON:-python3}
threads=${THREADS:-2} batch=${BATCH:-16} repeats=${REPEATS:-3} kind=${KIND:-vit-l-14}
export TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1

"$root/bench/true-size.sh" "$work" "$kind" >&2
[ -d "$work/$kind-open_clip" ] || "$root/diva" export --clip "$work/$kind" --to open_clip --out "$work/$kind-open_clip" >&2

[ -f "$work/picture.png" ] || "$python" -c "
from PIL import Image
Image.effect_noise((500, 375), 80).convert('RGB').save('$work/picture.png')"
one_picture() { # the line of one picture: one_picture PRECISION
    local began ended seconds=()
    for _ in 1 2 3; do
        rm -f "$work/one.safetensors"
        began=$(date +%s.%N)
        "$root/diva" encode --clip "$work/$kind" --precision "$1" --threads "$threads" --images "$work/picture.png" --out "$work/one.safetensors" > /dev/null
        ended=$(date +%s.%N)
        seconds+=("$(awk "BEGIN { print $ended - $began }")")
    done
    printf '{"who": "diva encode", "precision": "%s", "firstSeconds": %.2f}\n' "$1" "$(printf '%s\n' "${seconds[@]}" | sort -n | sed -n 2p)"
}
start() { export BENCH_START; BENCH_START=$(date +%s.%N); "$@" 2>/dev/null; }
for precision; do
    start "$root/bench/run.sh" dev.diva.bench.encode.EncodeBench "$work/$kind" "$precision" "$threads" "$batch" "$repeats"
    one_picture "$precision"
    [ "$precision" != int8 ] || precision=bf16
    start "$python" "$here/reference.py" transformers "$work/$kind" "$precision" "$threads" "$batch" "$repeats"
    start "$python" "$here/reference.py" open_clip "$work/$kind-open_clip" "$precision" "$threads" "$batch" "$repeats"
done | tee "$work/encode.jsonl" | "$python" "$here/summary.py"
