#!/usr/bin/env bash
# Runs a main class of the benchmarks: bench/run.sh CLASS ARGUMENT...   Build first: ./mvnw -q package -DskipTests
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# As the launcher does.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=8589934592 GOMP_SPINCOUNT=1000 OPENBLAS_THREAD_TIMEOUT=4
export GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0}
exec java "@$root/core/target/jvm.options" \
    ${DIVA_JAVA_OPTS:-} -cp "$root/bench/target/classes:$root/bench/target/lib/*:$root/core/target/classes:$root/core/target/lib/*" "$@"
