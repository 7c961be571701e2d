# Sourced by the scripts here: compiles once and sets TEST_CLASSPATH and ENGINE_OPTIONS.
ENGINE_OPTIONS="-Dorg.bytedeco.javacpp.maxBytes=0 -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 -Dai.djl.offline=true"
if [ ! -f core/target/test-classpath.txt ] || [ "${REBUILD:-0}" = 1 ]; then
    ./mvnw -q -pl core test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt -Dmdep.includeScope=test
fi
TEST_CLASSPATH="core/target/test-classes:core/target/classes:$(cat core/target/test-classpath.txt)"
