#!/bin/sh
# PyTorch 2.10.0 on a CPU with bf16 products by oneDNN: torch.nn.functional.linear copies a frozen weight for each image of a batch when its
# input is a slice of the tokens ([:, 1:]), and once for a batch of one without a bias, whole or sliced. It then multiplies image by image
# (aten::bmm). A weight that learns, or an input made contiguous (or flattened to rows), is one product (aten::mm) without a copy of the
# weight. So freezing a layer makes it slower.
# Seen: 33 MiB allocated for a weight of 8 MiB and four images; on two busy cores 238 ms, 24 with
# a weight that learns.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 numpy==2.3.5
"$work/env/bin/python" - <<'PYTHON'
import time

import torch
from torch.nn.functional import linear
from torch.profiler import ProfilerActivity, profile


def look(images, learns, whole):
    tokens = torch.randn(images, 198, 1024, dtype=torch.bfloat16)[:, 1:]
    weight = torch.randn(4096, 1024, dtype=torch.bfloat16, requires_grad=learns)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        linear(tokens.contiguous() if whole else tokens, weight)
    start = time.perf_counter()
    linear(tokens.contiguous() if whole else tokens, weight)
    milliseconds = 1000 * (time.perf_counter() - start)
    events = {event.key: event for event in seen.key_averages()}
    product = next(name for name in ("aten::bmm", "aten::mm") if name in events)
    allocated = sum(event.self_cpu_memory_usage for event in events.values() if event.self_cpu_memory_usage > 0)
    return product, allocated >> 20, milliseconds


by_onednn = torch.ops.mkldnn._is_mkldnn_bf16_supported()
print("torch", torch.__version__, "bf16 by oneDNN:", by_onednn)
for images, learns, whole, product in (
    (4, False, False, "aten::bmm"),
    (4, False, True, "aten::mm"),
    (4, True, False, "aten::mm"),
    (1, False, False, "aten::bmm"),
    (1, False, True, "aten::bmm"),
    (1, True, False, "aten::mm"),
):
    found, mebibytes, milliseconds = look(images, learns, whole)
    print(images, "images,", "learns," if learns else "frozen,", "whole:" if whole else "slice:", found, mebibytes, "MiB allocated,", round(milliseconds, 1), "ms")
    assert found == product
    if by_onednn and product == "aten::bmm":
        assert mebibytes >= 8 * images
PYTHON
