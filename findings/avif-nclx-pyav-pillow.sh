#!/bin/sh
# PyAV 18.1.0 (libavcodec 62.28) and Pillow 13.0.0 (libavif 1.4.2) read another colour out of one AVIF: where the container's colour box
# (nclx) names a matrix other than that of the AV1 stream inside, libavif follows the container, which the AVIF specification gives
# precedence; ffmpeg's decoder labels the frame with the matrix of the stream, and conversion to RGB follows that label.
# Seen: same box as stream, at most 3 levels apart (rounding); box says BT.709, stream BT.601: Pillow's pixels move, PyAV's do not.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q av==18.1.0 pillow==13.0.0 numpy==2.3.5
"$work/env/bin/python" - <<'PYTHON'
import io

import av
import numpy as np
from PIL import Image

colors = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
file = io.BytesIO()
Image.fromarray(colors).resize((64, 64), Image.BICUBIC).save(file, "AVIF", quality=95, subsampling="4:4:4")
same = file.getvalue()
box = same.index(b"colrnclx")
other = same[: box + 12] + bytes([0, 1]) + same[box + 14 :]  # matrix coefficients 1: BT.709


def pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def pyav(data):
    with av.open(io.BytesIO(data)) as container:
        frame = next(container.decode(container.streams.video[0]))
        return frame.reformat(format="rgb24").to_ndarray().astype(int), int(frame.colorspace)


(pixels, label), (pixels709, label709) = pyav(same), pyav(other)
print("same matrix: apart by", abs(pixels - pillow(same)).max())
print("box BT.709, stream BT.601: apart by", abs(pixels709 - pillow(other)).max(), "label of the frame", label709)
assert abs(pixels - pillow(same)).max() <= 3
assert label == label709 == 6 and (pixels == pixels709).all()
assert abs(pillow(other) - pillow(same)).max() > 20
PYTHON
