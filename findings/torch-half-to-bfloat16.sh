#!/bin/sh
# PyTorch 2.10.0 on a CPU: fp16 numbers become bf16 one by one, which takes twice as long as by way of fp32, in two passes and with the same
# bits. Whoever loads an fp16 checkpoint to compute in bf16 waits for it.
# Seen: a matrix of 4,096 x 1,024, one thread, AVX-512: 3.79 ms, by way of fp32 1.91 ms; two threads 1.82 and 1.09 ms.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 numpy==2.3.5
"$work/env/bin/python" - <<'PYTHON'
import time

import torch

torch.set_num_threads(1)
half = torch.randn(4096, 1024).to(torch.float16)
single, brain = torch.empty(half.shape), torch.empty(half.shape, dtype=torch.bfloat16)


def milliseconds(convert):
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        convert()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


direct = milliseconds(lambda: brain.copy_(half))
around = milliseconds(lambda: brain.copy_(single.copy_(half)))
print("torch", torch.__version__, "direct", round(direct, 2), "ms, by way of fp32", round(around, 2), "ms")
assert torch.equal(half.to(torch.bfloat16).view(torch.int16), half.to(torch.float32).to(torch.bfloat16).view(torch.int16))
assert direct > 1.4 * around
PYTHON
