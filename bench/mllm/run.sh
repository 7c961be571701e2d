#!/usr/bin/env bash
# LLaVA-1.5 of diva and transformers on the same random weights, 4 layers of the 7B's width and its tower: POPE with 18 questions an image
# (wall time a question, same answers), prefill of 600 tokens, decoding of one token.
#   PYTHON=... bench/mllm/run.sh WORK_FOLDER [fp32 | bf16]...      PYTHON has torch and transformers 4.46
# THREADS=2 IMAGES=2 REPEATS=3 TOKENS=8 SIZE=true, or SIZE=tiny to try the script. Build first: ./mvnw -q package -DskipTests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$1
shift
[ $# -gt 0 ] || set -- fp32 bf16
python=${PYTHON:-python3}
threads=${THREADS:-2} images=${IMAGES:-2} repeats=${REPEATS:-3} tokens=${TOKENS:-8} size=${SIZE:-true}
export TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1

mkdir -p "$work"
model=$work/llava-$size
[ -d "$model" ] || "$python" "$here/make.py" "$model" "$size" "$root/core/src/test/resources/golden/llava-hf/mha" >&2

for precision; do
    arguments=("$model" "$precision" "$threads" "$images" "$repeats" "$tokens")
    "$root/bench/run.sh" dev.diva.bench.mllm.MllmBench "${arguments[@]}" "$work/diva-$precision.txt"
    "$python" "$here/reference.py" "${arguments[@]}" "$work/transformers-$precision.txt" 2>/dev/null
done | tee "$work/mllm.jsonl" | "$python" "$here/summary.py"
for precision; do
    echo "$precision: $(paste -d= "$work/diva-$precision.txt" "$work/transformers-$precision.txt" | awk -F= '$1 == $2' | wc -l) of" \
        "$(wc -l < "$work/diva-$precision.txt") answers have the same tokens"
done
