#!/usr/bin/env bash
# The same zero-shot task on the same weights by diva and by CLIP_benchmark, in turn: seconds of the whole commands, and the scores.
#   PYTHON=/path/to/python bench/zeroshot/run.sh MODEL DATA [fp32|bf16] [ROUNDS]
# MODEL: a folder of open_clip (open_clip_config.json, open_clip_model.safetensors). DATA: a folder in CLIP_benchmark's layout.
# reference.py says what PYTHON needs. Ends with one line of JSON; ratio above 1 means that diva is faster.
set -euo pipefail
model=$1 data=$2 precision=${3:-fp32} rounds=${4:-3}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/../../diva" --version > /dev/null # builds on first use, outside the timing

timed() { # timed NAME COMMAND...: output to NAME.json, seconds to NAME.seconds
  local name=$1 start; shift
  start=$(date +%s.%N)
  "$@" > "$work/$name.json" 2> "$work/$name.log" || { cat "$work/$name.log" >&2; exit 1; }
  echo "$start $(date +%s.%N)" >> "$work/$name.seconds"
}

for ((round = 0; round < rounds; round++)); do
  timed diva "$here/../../diva" eval zeroshot --clip "$model" --data "$data" --precision "$precision" --json
  timed reference "${PYTHON:-python3}" "$here/reference.py" --clip "$model" --data "$data" --precision "$precision"
done

"${PYTHON:-python3}" - "$work" "$precision" <<'PY'
import json, os, platform, statistics, sys
work, precision = sys.argv[1:]
def seconds(name):
    with open(f"{work}/{name}.seconds", encoding="utf-8") as f:
        return [float(end) - float(start) for start, end in (line.split() for line in f)]
def record(name):
    with open(f"{work}/{name}.json", encoding="utf-8") as f:
        return json.load(f)
diva, reference = seconds("diva"), seconds("reference")
ours, theirs = record("diva")["results"][0]["metrics"], record("reference")
ratios = [r / d for d, r in zip(diva, reference)]
print(json.dumps({
    "precision": precision, "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(),
    "divaSeconds": diva, "referenceSeconds": reference, "referenceSecondsAfterImports": theirs["secondsAfterImports"],
    "ratio": statistics.median(ratios), "ratioRange": [min(ratios), max(ratios)],
    "largestDifference": max(abs(ours[name] - theirs["metrics"][name]) for name in theirs["metrics"]),
    "divaMetrics": ours, "referenceMetrics": theirs["metrics"], "referenceTorch": theirs["torch"],
}))
PY
