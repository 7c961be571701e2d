#!/usr/bin/env bash
# Mutation fuzzing of every parser: safetensors, shard index, pickle, tar, JSON, YAML, CSV, images.
#   faults/fuzz.sh [CASES, default 1000000] [SEED, default 1] [TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
. faults/classpath.sh
exec java -Xmx512m $ENGINE_OPTIONS -cp "$TEST_CLASSPATH" dev.diva.testing.FuzzMain "${1:-1000000}" "${2:-1}" "${@:3}"
