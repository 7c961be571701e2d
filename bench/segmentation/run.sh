#!/usr/bin/env bash
# SAN's authors' code and diva on the same random weights, in turn, in one run: labels of a picture of 640 x 640 by 150 classes (rate, peak
# memory, difference of the logits), and a training step of one such crop (time, peak memory).
#   bench/segmentation/run.sh WORK_FOLDER SAN_CHECKOUT DETECTRON2_CHECKOUT [L14-336 | B16]...
# Checkouts: MendelXu/SAN at e19262d, facebookresearch/detectron2 at 02b5c4e2; both run as they stand, nothing of detectron2 is compiled, and only
# wandb (logging) is an empty stub. TINY=1 tries the script.
# PRECISIONS="fp32 bf16" WORKS="eval train" THREADS=2 REPEATS=5 STEPS=4 ROUNDS=1. PYTHON has requirements.txt; made where it is missing.
# DIVA=./diva and BENCH=bench/run.sh after ./mvnw -q package -DskipTests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
export SAN=$(cd "$2" && pwd) DETECTRON2=$(cd "$3" && pwd)
shift 3
[ $# -gt 0 ] || set -- L14-336 B16
python=${PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi
export HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=${THREADS:-2} THREADS=${THREADS:-2}
export BENCH=${BENCH:-$root/bench/run.sh} DIVA=${DIVA:-$root/diva}
for kind; do
    model=$work/$kind${TINY:+-tiny}
    [ -f "$model/san.yaml" ] || "$python" "$here/make.py" "$model" "$kind" "${TINY:-0}" >&2
    for does in ${WORKS:-eval train}; do
        for precision in ${PRECISIONS:-fp32 bf16}; do
            "$python" "$here/compare.py" "$does" "$model" "$precision" "${REPEATS:-5}" "${STEPS:-4}" "${ROUNDS:-1}"
        done
    done
done
