#!/bin/sh
# transformers 5.24.0 shows CLIP another picture of one transparent PNG than 5.20.2 did from the same settings, and than it does itself when the
# PNG is named by its path. 5.20.2 drops the alpha channel, so that the colours hidden below it are seen; since 5.21.0 the processor lays a
# Pillow image (or an array of four channels) over white first. Files named by path or address go through fetch_images, which still drops alpha.
# Seen: a red square whose surroundings are fully transparent over hidden blue. Corner of what CLIP sees: blue in 5.20.2 and in 5.24.0 by
# path, white in 5.24.0 by Pillow image. No setting in preprocessor_config.json tells the three apart, no warning is given.
# Costs: embeddings from before and after an upgrade, or by path and by image, do not match for logos, stickers and cut-outs.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q transformers==5.24.0 tokenizers==0.23.3 huggingface_hub==2.4.0 pillow==13.0.0 numpy==2.3.5
"$work/env/bin/pip" install -q --no-deps --target "$work/before" transformers==5.20.2
cd "$work"
export TRANSFORMERS_VERBOSITY=error
cat > see.py <<'PYTHON'
import sys

import numpy as np
import transformers
from PIL import Image
from transformers import CLIPImageProcessorPil

pixels = np.zeros((224, 224, 4), np.uint8)
pixels[...] = 0, 0, 255, 0
pixels[62:162, 62:162] = 255, 0, 0, 255
Image.fromarray(pixels).save("sticker.png")
processor = CLIPImageProcessorPil(do_rescale=False, do_normalize=False)


def corner(image):
    seen = processor(images=image, return_tensors="np")["pixel_values"][0]
    assert tuple(seen[:, 112, 112].astype(int)) == (255, 0, 0)
    return tuple(int(level) for level in seen[:, 0, 0])


image, path = corner(Image.open("sticker.png")), corner(processor.fetch_images("sticker.png"))
print("transformers", transformers.__version__, "corner by image", image, "by path", path)
assert transformers.__version__ == sys.argv[1]
assert image == ((255, 255, 255) if sys.argv[2] == "white" else (0, 0, 255)) and path == (0, 0, 255)
PYTHON
PYTHONPATH="$work/before" env/bin/python see.py 5.20.2 hidden
env/bin/python see.py 5.24.0 white
