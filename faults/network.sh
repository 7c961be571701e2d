#!/usr/bin/env bash
# No network is used: commands run in a network namespace without any interface, and give the bytes that they give with one.
#   faults/network.sh        (needs root, or user namespaces)
set -uo pipefail
cd "$(dirname "$0")/.."
. faults/classpath.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export -f diva tiny
export TEST_CLASSPATH ENGINE_OPTIONS GOLDEN
encode="diva encode --clip $GOLDEN/clip-hf-vit --text 'a cat' --images $GOLDEN/preprocess/files --precision fp32 --threads 1"
bash -c "$encode --out $work/with.safetensors" > /dev/null || exit 1
unshare -n bash -c "$encode --out $work/without.safetensors" > /dev/null || exit 1
cmp "$work/with.safetensors" "$work/without.safetensors" || exit 1
echo "ok    encode without a network: the same bytes"
STEPS=2 unshare -n bash -c "tiny $work/run" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
echo "ok    train without a network"
