#!/bin/sh
# PyTorch 2.10.0 on a CPU with AVX512-BF16 but no AMX, Intel's (Xeons of the fourth generation on where the hypervisor hides the tiles):
# it says that it has fast bf16, and a linear layer in bf16, autocast included, takes 1.6 times as long as in fp32.
# Seen: 4,112 tokens by 1,024 by 4,096, two threads: fp32 146 ms, bf16 244 ms, autocast 235 ms.
set -eu
grep -q avx512_bf16 /proc/cpuinfo && grep -q GenuineIntel /proc/cpuinfo && ! grep -q amx_bf16 /proc/cpuinfo || {
  echo "needs an Intel processor with AVX512-BF16 and without AMX"
  exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 numpy==2.3.5
"$work/env/bin/python" - <<'PYTHON'
import time

import torch

torch.set_num_threads(2)
single = torch.randn(4112, 1024), torch.randn(4096, 1024)
brain = tuple(x.bfloat16() for x in single)


def milliseconds(compute):
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        compute()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


@torch.autocast("cpu", dtype=torch.bfloat16)
def autocast():
    torch.nn.functional.linear(*single)


assert torch.ops.mkldnn._is_mkldnn_bf16_supported()
fp32 = milliseconds(lambda: torch.nn.functional.linear(*single))
bf16 = milliseconds(lambda: torch.nn.functional.linear(*brain))
cast = milliseconds(autocast)
print("torch", torch.__version__, f"fp32 {fp32:.0f} ms, bf16 {bf16:.0f} ms, autocast {cast:.0f} ms")
assert bf16 > 1.25 * fp32 and cast > 1.25 * fp32
PYTHON
