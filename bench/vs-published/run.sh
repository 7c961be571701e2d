#!/usr/bin/env bash
# The published training step and diva's, on the same random weights of true size (ViT-L/14, SD 2.1-base, 512 pixels, two draws):
#   bench/vs-published/run.sh WORK_FOLDER DIVA_CHECKOUT [OPTION]...      OPTION: PRECISION-BATCH-LATENTS, for instance bf16-1-cached
# Default: bf16-1-cached bf16-1-crop bf16-4-cached fp32-1-cached. DIVA_CHECKOUT is a clone of github.com/baaivision/DIVA.
# Makes what is missing: a Python environment, the models, a picture. First checks that both compute the same losses from the same
# draws (CHECK=0 leaves that out), then times both in alternation (REPEATS=2, STEPS=3). PYTHON names an environment that is there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
repo=$(cd "$2" && pwd)
shift 2
python=${PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi
[ -f "$root/bench/target/classes/dev/diva/bench/truesize/TrueSize.class" ] || (cd "$root" && ./mvnw -q package -DskipTests)
"$root/bench/true-size.sh" "$work" vit-l-14 sd21-base >&2
[ -d "$work/vit-l-14-openai" ] || "$root/diva" export --clip "$work/vit-l-14" --to openai --out "$work/vit-l-14-openai" >&2
exec "$python" "$here/compare.py" --diva "$root/diva" --published "$here/published_step.py" --repo "$repo" --work "$work" \
    --repeats "${REPEATS:-2}" --steps "${STEPS:-3}" --check "${CHECK:-1}" \
    ${@:-bf16-1-cached bf16-1-crop bf16-4-cached fp32-1-cached}
