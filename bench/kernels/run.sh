#!/usr/bin/env bash
# Time and speed of single kernels with JMH, all or those whose names match:
#   bench/kernels/run.sh [PATTERN] [JMH_OPTION...]      as: attention -p precision=BF16
# THREADS=0 takes every core. Build first: ./mvnw -q package -DskipTests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export DIVA_JAVA_OPTS="${DIVA_JAVA_OPTS:-} -Ddiva.threads=${THREADS:-0}"
exec "$here/../run.sh" dev.diva.bench.kernels.KernelsBench "$@"
