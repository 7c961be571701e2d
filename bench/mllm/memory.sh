#!/usr/bin/env bash
# Peak resident memory of a whole 7B in bf16, random weights (14 GB on disk): one answer of two tokens by transformers and by diva.
#   PYTHON=... bench/mllm/memory.sh WORK_FOLDER      PYTHON has torch, transformers 4.46, accelerate and Pillow. Build first
# Pictures have 56 pixels, 16 tokens, so that it also ends where the processor has no kernels for bf16.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
model=$1/llava-7b
python=${PYTHON:-python3}
export TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1
[ -f "$model/config.json" ] || "$python" "$here/make.py" "$model" 7b "$root/core/src/test/resources/golden/llava-hf/mha" >&2
"$python" "$here/memory.py" "$model" ${DIVA:-$root/diva}
