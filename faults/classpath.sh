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

# tiny OUT [OPTION...]: the golden tiny models on a folder of ten images, four images a step; steps take tenths of a second.
tiny() {
    local out=$1
    shift
    diva train --out "$out" --clip "$GOLDEN/clip-hf-vit" --diffusion "$GOLDEN/sd21" --images "${IMAGES:-$GOLDEN/preprocess/files}/*.png" \
        --set resolution=64 --set precision=fp32 --set threads=1 --set workers=1 --set train.batch=2 --set train.accumulate=2 \
        --set train.lr=0.01 --set train.steps="${STEPS:-12}" --set checkpoint.every=1 "$@"
}

masters() {
    sha256sum "$1/checkpoints/step-$(printf %08d "${STEPS:-12}")/masters.safetensors" | cut -d' ' -f1
}
