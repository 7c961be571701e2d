#!/bin/sh
# datasets 5.2.0 keeps or drops an edit made in Dataset.map by where the picture's bytes lie. A Pillow image whose filename is set is stored as
# that path, whatever its pixels are by then; one without is saved anew. Pillow's calls that work in place (thumbnail, paste, putpixel,
# ImageDraw) leave the filename standing, so the same function changes a data set read from Parquet and leaves one read from a folder as it was.
# Seen: masking a corner and shrinking by thumbnail: rows of bytes come out black and small, rows of files full size and unmasked, no warning.
# Costs: faces or answers painted over in preparation are back in what is shared; runs on "small" pictures train on the large ones.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==13.0.0 numpy==2.3.5
cd "$work"
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/env/bin/python" - <<'PYTHON'
from pathlib import Path

import datasets
from PIL import Image, ImageDraw

datasets.disable_progress_bars()
print("datasets", datasets.__version__)
Path("images").mkdir()
Image.new("RGB", (256, 192), (200, 120, 40)).save("images/photo.png")
files = datasets.load_dataset("imagefolder", data_dir="images", split="train", drop_labels=True)
features = datasets.Features({"image": datasets.Image()})
data = {"image": [{"bytes": Path("images/photo.png").read_bytes(), "path": None}]}
stored = datasets.Dataset.from_dict(data, features=features)


def prepare(row):
    ImageDraw.Draw(row["image"]).rectangle((0, 0, 127, 95), fill=(0, 0, 0))
    row["image"].thumbnail((64, 64))
    return row


def size_and_corner(rows):
    image = rows.map(prepare)[0]["image"]
    return image.size, image.getpixel((5, 5))


print("before", files[0]["image"].size, "bytes", size_and_corner(stored), "files", size_and_corner(files))
assert files[0]["image"].size == stored[0]["image"].size == (256, 192)
assert size_and_corner(stored) == ((64, 48), (0, 0, 0))
assert size_and_corner(files) == ((256, 192), (200, 120, 40))
PYTHON
