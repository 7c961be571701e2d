#!/usr/bin/env bash
# Stage 2 of GenHancer ("only") and DCR at 224 pixels: the published step and `diva train` on the same random weights, in turn, in one run.
#   bench/methods/run.sh WORK_FOLDER GENHANCER_CHECKOUT DCR_CHECKOUT [genhancer | dcr]...
# Checkouts: mashijie1028/GenHancer at d716ba2, boyuh/DCR at c16d885; their modules and loss statements are run as they stand. Widths are those
# of ViT-L/14, the 1.31 B denoiser and SD 2.1-base; depths: LAYERS=24 DOUBLE=2 SINGLE=4 UNET_LAYERS=2. TINY=1 tries the script.
# PRECISION=bf16 BATCH=4 STEPS=4 REPEATS=1. PYTHON has requirements.txt; made where it is missing. DIVA=./diva after ./mvnw -q package -DskipTests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
genhancer=$(cd "$2" && pwd)
dcr=$(cd "$3" && pwd)
shift 3
python=${PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi
export VOCABULARY=$root/core/src/test/resources/golden/clip-hf-vit HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=1
depths=("${LAYERS:-24}" "${DOUBLE:-2}" "${SINGLE:-4}" "${UNET_LAYERS:-2}" "${TINY:-0}")
models=$work/models-$(IFS=-; echo "${depths[*]}")
if [ ! -f "$models/images/15.png" ]; then
    "$python" "$here/make.py" "$models" "$genhancer" "${depths[@]}" >&2
fi
for method in "${@:-genhancer dcr}"; do
    for each in $method; do
        checkout=$genhancer
        [ "$each" = genhancer ] || checkout=$dcr
        "$python" "$here/compare.py" "$each" "$checkout" "$models" "${PRECISION:-bf16}" "${BATCH:-4}" "${STEPS:-4}" "${REPEATS:-1}" ${DIVA:-$root/diva}
    done
done
