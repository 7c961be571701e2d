#!/bin/sh
# clip-benchmark 1.6.2, which asks for no version of numpy, with numpy 2.4.6: zero-shot accuracy ends with a TypeError, after all images were
# encoded, since it makes a number of an array of one axis, which numpy 2.4 refuses. With numpy 2.3.5 the same call gives the accuracy.
# Seen: "only 0-dimensional arrays can be converted to Python scalars"; with 2.3.5 [0.5, 1.0].
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 scikit-learn==1.8.0 tqdm==4.67.1
"$work/env/bin/pip" install -q --no-deps clip-benchmark==1.6.2
for numpy in 2.3.5 2.4.6; do
    "$work/env/bin/pip" install -q "numpy==$numpy"
    "$work/env/bin/python" - <<'PYTHON'
import numpy
import torch
from clip_benchmark.metrics.zeroshot_classification import accuracy

logits, labels = torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.3, 0.9]]), torch.tensor([0, 1])
try:
    said = accuracy(logits, labels, topk=(1, 2))
except TypeError as error:
    said = str(error)
print("numpy", numpy.__version__, said)
if numpy.__version__ == "2.3.5":
    assert said == [0.5, 1.0], said
else:
    assert "0-dimensional" in said, said
PYTHON
done
