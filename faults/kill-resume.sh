#!/usr/bin/env bash
# Kills a training with kill -9 at random moments, resumes it each time, and compares the result with an uninterrupted run bit for bit.
# Usage: faults/kill-resume.sh [KILLS] [SEED]
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
golden=$home/core/src/test/resources/golden
kills=${1:-20}
RANDOM=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

train() { # OUT, then more arguments
  local out=$1
  shift
  exec "$home/diva" train --out "$out" "$@" > "$work/log" 2>&1
}

recipe=(--clip "$golden/clip-hf-vit" --diffusion "$golden/sd21" --images "$golden/preprocess/files"
  --set resolution=64 --set precision=fp32 --set threads=1 --set workers=1 --set train.steps=120 --set train.batch=2
  --set train.accumulate=2 --set train.optimizer=adamw --set train.lr=1e-3 --set 'checkpoint={every: 3, keep: 2}')

same() { # two run folders
  cmp "$1/clip/model.safetensors" "$2/clip/model.safetensors"
  cmp "$1/projection.safetensors" "$2/projection.safetensors"
  diff <(sed 's/,"images":.*//' "$1/metrics.jsonl") <(sed 's/,"images":.*//' "$2/metrics.jsonl")
  diff "$1/checkpoints/step-00000120/checksums.sha256" "$2/checkpoints/step-00000120/checksums.sha256"
}

(train "$work/straight" "${recipe[@]}") || { cat "$work/log"; exit 1; }
done_kills=0
runs=0
while [ "$done_kills" -lt "$kills" ]; do
  out=$work/killed-$runs
  while :; do
    if [ -f "$out/recipe.yaml" ]; then (train "$out" --resume) & else (train "$out" "${recipe[@]}") & fi
    process=$!
    if [ "$done_kills" -lt "$kills" ]; then
      sleep "$((RANDOM % 7)).$((RANDOM % 1000))"
      if kill -9 "$process" 2> /dev/null; then done_kills=$((done_kills + 1)); fi
    fi
    code=0
    wait "$process" 2> /dev/null || code=$?
    [ "$code" -eq 137 ] && continue
    [ "$code" -eq 0 ] && break
    cat "$work/log"
    exit 1
  done
  same "$work/straight" "$out"
  runs=$((runs + 1))
done
echo "$done_kills kills, $runs runs resumed to the bits of the uninterrupted one"
