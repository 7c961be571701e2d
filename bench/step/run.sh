#!/usr/bin/env bash
# A training step of ViT-L/14 and SD 2.1-base stage by stage, on random weights of true size:
#   bench/step/run.sh WORK_FOLDER IMAGES         IMAGES is a folder of photos
# PRECISION=bf16 BATCH=1 STEPS=5 ACTIVATIONS=kept THREADS=0 CLIP=... DIFFUSION=... Build first: ./mvnw -q package -DskipTests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1
"$here/../true-size.sh" "$work" >&2
export DIVA_JAVA_OPTS="${DIVA_JAVA_OPTS:-} -Ddiva.threads=${THREADS:-0}"
exec "$here/../run.sh" dev.diva.bench.step.StepBench "${CLIP:-$work/vit-l-14}" "${DIFFUSION:-$work/sd21-base}" \
    "$2" "${PRECISION:-bf16}" "${BATCH:-1}" "${STEPS:-5}" "${ACTIVATIONS:-kept}"
