"""How alike two files of `diva encode` are: agreement.py A.safetensors B.safetensors

Cosine of the images, row by row; with texts in both, how many images have the same nearest text.
"""
import sys

import numpy as np
from safetensors.numpy import load_file

a, b = (load_file(path) for path in sys.argv[1:3])
unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)
left, right = unit(a["image_embeds"]), unit(b["image_embeds"])
cosine = (left.astype(np.float64) * right).sum(axis=1)
print(f"{len(cosine)} images: cosine {cosine.min():.6f} at least, median {np.median(cosine):.6f}")
if "text_embeds" in a and "text_embeds" in b:
    nearest = [(x @ unit(f["text_embeds"]).T).argmax(axis=1) for x, f in ((left, a), (right, b))]
    print(f"same nearest text of {len(a['text_embeds'])}: {(nearest[0] == nearest[1]).mean():.4%}")
