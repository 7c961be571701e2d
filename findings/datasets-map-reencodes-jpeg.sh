#!/bin/sh
# datasets 5.2.0 compresses JPEGs anew when Dataset.map only looks at them. Reading row["image"] inside the mapped function decodes the picture
# in the row; the decoded picture, not the stored bytes, goes into the new data set, saved by Pillow as JPEG at its default quality of 75, even
# where the function returns nothing but another column. filter, and map with input_columns, leave the bytes alone.
# Seen: after adding the width, the first pass moves pixels of a quality 95 JPEG by tens of levels; each further map that looks moves them on; PNGs stay.
# Costs: a Parquet of images that went through a few passes of widths, hashes or CLIP scores holds other pictures than were collected;
# nothing warns, and the rows claim the same format.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==13.0.0 numpy==2.3.5
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/env/bin/python" - <<'PYTHON'
import io

import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()
print("datasets", datasets.__version__)
colors = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
photo = Image.fromarray(colors).resize((256, 192), Image.BICUBIC)


def stored(form, **options):
    file = io.BytesIO()
    photo.save(file, form, **options)
    return {"bytes": file.getvalue(), "path": None}


features = datasets.Features({"image": datasets.Image()})
rows = datasets.Dataset.from_dict({"image": [stored("JPEG", quality=95), stored("PNG")]}, features=features)


def bytes_of(data):
    return [row["bytes"] for row in data.cast_column("image", datasets.Image(decode=False))["image"]]


def apart(data):
    pairs = [(np.asarray(a["image"]).astype(int), np.asarray(b["image"])) for a, b in zip(rows, data)]
    return [int(abs(a - b).max()) for a, b in pairs]


def width(row):
    return {"width": row["image"].width}


untouched = bytes_of(rows)
by_column = rows.map(lambda image: {"width": image.width}, input_columns="image")
kept = rows.filter(lambda row: row["image"].width > 0)
print("filter, and map by input_columns: bytes kept", bytes_of(kept) == untouched, bytes_of(by_column) == untouched)
assert bytes_of(kept) == untouched and bytes_of(by_column) == untouched
seen, moved = rows, []
for _ in range(4):
    seen = seen.map(width, remove_columns=[c for c in seen.column_names if c != "image"])
    moved.append(apart(seen))
print("map that looks, 1 to 4 times: JPEG and PNG apart by", moved, "format", seen[0]["image"].format)
table = Image.open(io.BytesIO(bytes_of(seen)[0])).quantization
default = io.BytesIO()
photo.save(default, "JPEG", quality=75)
assert table == Image.open(default).quantization
assert moved[0][0] > 10 and all(png == 0 for _, png in moved)
PYTHON
