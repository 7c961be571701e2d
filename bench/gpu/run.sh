#!/usr/bin/env bash
# Everything that a machine with one GPU can tell of diva, in at most eight minutes; prints one table, ends with 1 where a check failed.
#   PYTHON=... bench/gpu/run.sh WORK_FOLDER [DIVA_CHECKOUT]
# Before, where there is a network: ./mvnw -Pcuda -DskipTests verify dependency:go-offline, and bench/true-size.sh WORK_FOLDER. The machine itself
# reaches no registry. PYTHON has torch with CUDA, and what bench/vs-published/requirements.txt and bench/encode need; without it, and
# without DIVA_CHECKOUT (a clone of github.com/baaivision/DIVA), those rows are left out.
#   DEVICE=cpu TINY=1 bench/gpu/run.sh WORK_FOLDER   tries the script itself on the tiny golden models
# Each part has a limit of its own (GOLDEN_SECONDS=150, RUN_SECONDS=60, COMPARE_SECONDS=180, ENCODE_SECONDS=60).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
repo=${2:-}
device=${DEVICE:-cuda} tiny=${TINY:-0} python=${PYTHON:-}
golden=$root/core/src/test/resources/golden
export CUBLAS_WORKSPACE_CONFIG=:4096:8 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 TORCH_CPP_LOG_LEVEL=ERROR
table=$work/table.txt failed=0
: > "$table"

row() { # WHAT RESULT
    printf '%-44s %s\n' "$1" "$2" | tee -a "$table"
}
check() { # WHAT STATUS RESULT
    [ "$2" -eq 0 ] || failed=1
    row "$1" "$([ "$2" -eq 0 ] && echo ok || echo FAILED): $3"
}
diva() { "$root/bench/run.sh" dev.diva.cli.Main "$@"; }

# 1. Golden cases on the device.
goldens() {
    # Tests of the processor alone, and of the command line, do not ask for the device.
    classes=GenHancerTest,DcrTest,Un2ClipTest,PublishedFeedbackTest,GoldenGradientsTest,UNetTest,DitTest,AutoencoderTest
    classes=$classes,AutoencoderTinyTest,FluxDenoiserTest,HuggingFaceTowersTest,TextTransformerTest,TextEncodingTest,StagesTest
    classes=$classes,SdxlTest,RectifiedFlowTeacherTest
    [ "$tiny" = 0 ] || classes=TextTransformerTest,FluxDenoiserTest
    profile=()
    [ "$device" = cpu ] || profile=(-Pcuda)
    (cd "$root" && timeout "${GOLDEN_SECONDS:-150}" ./mvnw -B -o "${profile[@]}" -pl core surefire:test -Dtest="$classes" -Ddiva.device="$device") \
        > "$work/golden.log" 2>&1
    status=$?
    check "golden cases, fp32 and bf16" $status "$(grep -o 'Tests run:.*' "$work/golden.log" | tail -n 1)"
}

# 2. A run that was cut off after half of its steps has the bits of one that was not.
train() { # OUT OPTION...
    local out=$1
    shift
    diva train --out "$out" --clip "$golden/clip-hf-vit" --diffusion "$golden/sd21" --images "$golden/preprocess/files/*.png" \
        --device "$device" --set resolution=64 --set precision=fp32 --set train.batch=2 --set train.accumulate=1 \
        --set train.warmupSteps=0 --set train.steps=4 --set checkpoint.every=1 --set checkpoint.keep=9 "$@"
}
resumes() {
    rm -rf "$work/straight" "$work/cut"
    train "$work/straight" > "$work/resume.log" 2>&1 && cp -r "$work/straight" "$work/cut" \
        && rm -rf "$work"/cut/checkpoints/step-0000000[34] "$work/cut/clip" \
        && diva train --resume --out "$work/cut" >> "$work/resume.log" 2>&1 \
        && cmp "$work"/{straight,cut}/checkpoints/step-00000004/masters.safetensors >> "$work/resume.log" 2>&1
    status=$?
    check "resumed after half, same bits" $status "$(tail -n 1 "$work/resume.log" | cut -c 1-120)"
}

# 3. A run of true size.
metric() { # FILE KEY: of the last step
    tail -n 1 "$1" | sed -n "s/.*\"$2\":\([0-9.eE+-]*\).*/\1/p"
}
trueSize() {
    rm -rf "$work/large"
    local clip=$work/vit-l-14 teacher=$work/sd21-base size=(--set resolution=512 --set train.batch=4)
    [ "$tiny" = 0 ] || clip=$golden/clip-hf-vit teacher=$golden/sd21 size=(--set resolution=64 --set train.batch=2)
    timeout "${RUN_SECONDS:-60}" "$root/bench/run.sh" dev.diva.cli.Main train --out "$work/large" --clip "$clip" --diffusion "$teacher" \
        --images "$golden/preprocess/files/*.png" --device "$device" --set train.accumulate=1 --set train.steps=5 --set train.warmupSteps=0 \
        --set checkpoint.every=1000 "${size[@]}" > "$work/large.log" 2>&1
    status=$?
    local metrics=$work/large/metrics.jsonl peak reserved
    peak=$(metric "$metrics" gpuPeakBytes)
    reserved=$(metric "$metrics" gpuReservedPeakBytes)
    check "run of true size, batch 4" $status \
        "$(metric "$metrics" imagesPerSecond) images/s, peak of the GPU ${peak:-none} bytes, ${reserved:-none} reserved"
}

# 4. Commands that only compute, on the tiny golden models.
commands() {
    local clip=(--clip "$golden/clip-hf-vit" --device "$device") images=$golden/preprocess/files
    rm -rf "$work/commands" && mkdir "$work/commands"
    diva encode "${clip[@]}" --images "$images/*.png" --out "$work/commands/images.safetensors" > "$work/commands.log" 2>&1 \
        && diva search "${clip[@]}" --index "$work/commands/images.safetensors" --text "a cat" >> "$work/commands.log" 2>&1 \
        && diva eval mmvp "${clip[@]}" --data "$golden/mmvp-vlm/MMVP_VLM" >> "$work/commands.log" 2>&1 \
        && diva segment "${clip[@]}" --method maskclip --classes "cat, dog" --image "$golden/dinov2/image.png" \
            --out "$work/commands/labels.png" >> "$work/commands.log" 2>&1
    status=$?
    check "encode, search, eval, segment" $status "$(tail -n 1 "$work/commands.log" | cut -c 1-120)"
}

# 5. The published step and diva's in turn on the same weights.
published() {
    if [ -z "$repo" ] || [ -z "$python" ] || [ "$tiny" = 1 ]; then
        row "published step" "left out: needs PYTHON and DIVA_CHECKOUT, and true size"
        return
    fi
    [ -d "$work/vit-l-14-openai" ] || diva export --clip "$work/vit-l-14" --to openai --out "$work/vit-l-14-openai" > "$work/export.log" 2>&1
    timeout "${COMPARE_SECONDS:-180}" "$python" "$root/bench/vs-published/compare.py" --diva "$here/diva.sh" --device "$device" \
        --published "$root/bench/vs-published/published_step.py" --repo "$repo" --work "$work" --repeats 1 --steps 4 \
        bf16-1-crop bf16-4-crop bf16-16-crop > "$work/compare.log" 2>&1
    check "published step, diva's: see below" $? "aims: time at most 0.6, memory at most 0.6 at batch 16"
    sed 's/^/    /' "$work/compare.log" | tee -a "$table"
}

# 6. Encoding against open_clip.
encodes() {
    local model=$work/vit-l-14 reference=$work/vit-l-14-open_clip precision=bf16 batch=64
    [ "$tiny" = 0 ] || model=$golden/open_clip-vit-gelu reference=$golden/open_clip-vit-gelu precision=fp32 batch=4
    [ -d "$reference" ] || diva export --clip "$model" --to open_clip --out "$reference" > "$work/export.log" 2>&1
    local ours theirs=
    export BENCH_START
    BENCH_START=$(date +%s.%N)
    ours=$(timeout "${ENCODE_SECONDS:-60}" "$root/bench/run.sh" dev.diva.bench.encode.EncodeBench "$model" $precision 2 $batch 5 "$device" 2> "$work/encode.log")
    check "encoding" $? "$ours"
    if [ -n "$python" ]; then
        BENCH_START=$(date +%s.%N)
        theirs=$(timeout "${ENCODE_SECONDS:-60}" "$python" "$root/bench/encode/reference.py" open_clip "$reference" $precision 2 $batch 5 "$device" 2>> "$work/encode.log")
        row "encoding, open_clip (aim: 1.2 times as fast)" "$theirs"
    fi
}

row "device" "$device, $(diva doctor --json 2> /dev/null | sed -n 's/.*"gpu" *: *"\(.*\)".*/\1/p' | head -n 1)"
goldens
resumes
commands
trueSize
published
encodes
exit $failed
