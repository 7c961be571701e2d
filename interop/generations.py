"""Loads exports in transformers' layout with AutoProcessor and AutoModel of the transformers that is installed, and compares embeddings of
pictures and texts with those of `diva encode`. Meant for one environment of each generation: 4.46.3 and 5.24.0.

    python generations.py --images A.jpg B.png --texts "a cat" "two dogs, one red" -- FOLDER=FEATURES.safetensors ...

FEATURES comes from `diva encode --clip MODEL --precision fp32 --images ... --text ... --out FEATURES.safetensors` of the model before its export.
A FOLDER without a tokenizer, which the original did not have either, is compared by its pictures.
"""
import argparse
import sys
from pathlib import Path

import torch
import transformers
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoImageProcessor, AutoModel, AutoProcessor

TOKENIZERS = ("vocab.json", "tokenizer.json", "spiece.model")


def unit(features):
    features = features if torch.is_tensor(features) else features.pooler_output
    return features / features.norm(dim=-1, keepdim=True)


def difference(folder, features, images, texts, backend):
    expected = load_file(features)
    model, report = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    model = model.float().eval()
    has_texts = any((Path(folder) / name).exists() for name in TOKENIZERS)
    slow = {"use_fast": False} if transformers.__version__ < "5" else {"backend": backend}
    processor = AutoProcessor.from_pretrained(folder, **slow) if has_texts else None
    looking = processor.image_processor if has_texts else AutoImageProcessor.from_pretrained(folder, **slow)
    pixels = looking(images=images, return_tensors="pt")["pixel_values"]
    seen = (unit(model.get_image_features(pixel_values=pixels)) - expected["image_embeds"]).abs().max().item()
    if not has_texts:
        return type(looking).__name__, seen, None
    length = model.config.text_config.max_position_embeddings
    ids = processor(text=texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    read = (unit(model.get_text_features(**ids)) - expected["text_embeds"]).abs().max().item()
    return type(processor).__name__ + ", " + type(processor.tokenizer).__name__, seen, read


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--images", nargs="+", required=True)
parser.add_argument("--texts", nargs="+", required=True)
parser.add_argument("--backend", default="pil", help="of transformers 5: its own default, torchvision, resizes otherwise than Pillow")
parser.add_argument("--tolerance", type=float, default=1e-5)
parser.add_argument("pairs", nargs="+", metavar="FOLDER=FEATURES")
args = parser.parse_args()
pictures = [Image.open(path).convert("RGB") for path in args.images]
failed = False
for pair in args.pairs:
    folder, features = pair.split("=")
    with torch.no_grad():
        loaded, seen, read = difference(folder, features, pictures, args.texts, args.backend)
    failed |= seen > args.tolerance or (read or 0) > args.tolerance
    print(f"transformers {transformers.__version__}, {Path(folder).name} ({loaded}): images {seen:.1e}, texts "
          + ("without a tokenizer" if read is None else f"{read:.1e}"))
sys.exit(failed)
