#!/usr/bin/env bash
# Texts of diva and open_clip on the same random weights of ViT-L/14: ImageNet's prompts and captions, texts a second, memory, ratio.
#   PYTHON=... bench/texts/run.sh WORK_FOLDER [fp32 | bf16]...      PYTHON has torch and open_clip_torch
# THREADS=2 BATCH=16 COUNT=256 (texts of open_clip) LIMIT=80000 (texts of diva). Build first: ./mvnw -q package -DskipTests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$1
shift
[ $# -gt 0 ] || set -- fp32 bf16
python=${PYTHON:-python3}
threads=${THREADS:-2} batch=${BATCH:-16} count=${COUNT:-256} limit=${LIMIT:-80000} kind=${KIND:-vit-l-14}
export TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1

"$root/bench/true-size.sh" "$work" "$kind" >&2
[ -d "$work/$kind-open_clip" ] || "$root/diva" export --clip "$work/$kind" --to open_clip --out "$work/$kind-open_clip" >&2
for texts in imagenet captions; do
    [ -f "$work/$texts.txt" ] || "$python" "$here/prompts.py" "$texts" "$work/$texts.txt"
    for precision; do
        echo "$texts $precision" >&2
        "$root/bench/run.sh" dev.diva.bench.texts.TextBench "$work/$kind-open_clip" "$precision" "$threads" "$batch" "$work/$texts.txt" "$limit"
        "$python" "$here/reference.py" "$work/$kind-open_clip" "$precision" "$threads" "$batch" "$work/$texts.txt" "$count" 2>/dev/null
    done
done | tee "$work/texts.jsonl" | "$python" -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
for ours, theirs in zip(rows[::2], rows[1::2]):
    print(json.dumps(ours), json.dumps(theirs), sep="\n")
    print("diva / open_clip", ours["precision"], "%.1fx" % (ours["textsPerSecond"] / theirs["textsPerSecond"]))'
