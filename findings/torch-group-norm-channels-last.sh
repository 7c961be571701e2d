#!/bin/sh
# PyTorch 2.10.0 on a CPU: group_norm of an image in channels_last takes many times as long below 1,024 pixels as at 1,024, and as the same
# numbers contiguous, which take as long per number on either side of it. Convolutions on CPUs want channels_last, so the finest level of a
# diffusion UNet at 224 to 248 pixels (28 x 28 to 31 x 31) pays for it, and every coarser one.
# Seen: 20 images of 320 channels in 32 groups, bf16, two cores: 31 x 31 17.8 ms (contiguous 1.0), 32 x 32 1.1 (1.1), 28 x 28 12.1 (0.8).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 numpy==2.3.5
"$work/env/bin/python" - <<'PYTHON'
import time

import torch
from torch.nn.functional import group_norm

torch.set_num_threads(2)


def milliseconds(side, memory_format):
    x = torch.randn(20, 320, side, side, dtype=torch.bfloat16).contiguous(memory_format=memory_format)
    weight, bias = torch.ones(320, dtype=torch.bfloat16), torch.zeros(320, dtype=torch.bfloat16)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        group_norm(x, 32, weight, bias)
        best = min(best, time.perf_counter() - start)
    return 1000 * best


found = {(side, name): milliseconds(side, getattr(torch, name)) for side in (28, 31, 32) for name in ("channels_last", "contiguous_format")}
print("torch", torch.__version__, {key: round(value, 2) for key, value in found.items()})
assert found[28, "channels_last"] > 3 * found[28, "contiguous_format"]
assert found[31, "channels_last"] > 2 * found[32, "channels_last"]
PYTHON
