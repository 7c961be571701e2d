#!/usr/bin/env bash
# Model folders of true size with random weights, so that the real shapes run without a download:
#   bench/true-size.sh OUT [vit-l-14 | vit-b-16 | sd21-base | sd15]...     (default: vit-l-14 sd21-base; 3.4 GB)
set -euo pipefail
exec "$(dirname "$0")/run.sh" dev.diva.bench.truesize.TrueSize "$@"
