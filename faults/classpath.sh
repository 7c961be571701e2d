# Sourced by the scripts here: compiles once (REBUILD=1: again), then `diva` runs the command and `tiny` a training of seconds.
ENGINE_OPTIONS="-Dorg.bytedeco.javacpp.maxBytes=0 -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 -Dai.djl.offline=true"
if [ ! -f core/target/test-classpath.txt ] || [ "${REBUILD:-0}" = 1 ]; then
    ./mvnw -q -pl core test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt -Dmdep.includeScope=test
fi
CLASSES=${CLASSES:-core/target/classes}
TEST_CLASSPATH="$PWD/core/target/test-classes:$(realpath "$CLASSES"):$(cat core/target/test-classpath.txt)"
GOLDEN=$PWD/core/src/test/resources/golden
export OMP_WAIT_POLICY=passive

diva() {
    java -Xmx600m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC $ENGINE_OPTIONS -cp "$TEST_CLASSPATH" dev.diva.cli.Main "$@"
}

# method NAME FOLDER: what `tiny` trains: diva, genhancer-1, genhancer-only, genhancer-all, dcr-1, dcr-2 or un2clip. A Stable unCLIP is put together in FOLDER.
TRAINED=(--diffusion "$GOLDEN/sd21")
method() {
    case $1 in
        diva) ;;
        genhancer-1)
            TRAINED=(--preset genhancer --diffusion "$GOLDEN/genhancer/ae.safetensors" --set stage=1 --set denoiser.width=32
                --set denoiser.heads=2 --set denoiser.double=1 --set denoiser.single=1)
            ;;
        genhancer-only | genhancer-all)
            TRAINED=(--preset genhancer --diffusion "$GOLDEN/genhancer/vae" --set "stage1=$GOLDEN/genhancer"
                --set "projectors=$GOLDEN/genhancer/inputs.safetensors" --set posterior=sampled)
            [ "$1" = genhancer-only ] || TRAINED+=(--set denoiser.learns=true)
            ;;
        dcr-1) TRAINED=(--preset dcr --diffusion "$GOLDEN/sd21" --set stage=1) ;;
        dcr-2) TRAINED=(--preset dcr --diffusion "$GOLDEN/sd21" --set "projectors=$GOLDEN/dcr/inputs.safetensors") ;;
        un2clip)
            cp -r "$GOLDEN"/sd21/{vae,text_encoder,tokenizer} "$GOLDEN"/un2clip/{unet,scheduler,image_normalizer,image_noising_scheduler} "$2"
            TRAINED=(--preset un2clip --diffusion "$2" --set embeddingNoise=generator)
            ;;
        *)
            echo "no method $1" >&2
            return 2
            ;;
    esac
}

# tiny OUT [OPTION...]: the golden tiny models on a folder of ten images, four images a step; steps take tenths of a second.
tiny() {
    local out=$1
    shift
    diva train --out "$out" --clip "$GOLDEN/clip-hf-vit" "${TRAINED[@]}" --images "${IMAGES:-$GOLDEN/preprocess/files}/*.png" \
        --set resolution=64 --set precision=fp32 --set threads=1 --set workers=1 --set train.batch=2 --set train.accumulate=2 \
        --set train.lr=0.01 --set train.steps="${STEPS:-12}" --set checkpoint.every=1 "$@"
}

masters() {
    sha256sum "$1/checkpoints/step-$(printf %08d "${STEPS:-12}")/masters.safetensors" | cut -d' ' -f1
}
