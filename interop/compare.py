#!/usr/bin/env python3
"""Loads exports of diva in the original libraries and compares their image features with `diva encode`.

    python interop/compare.py --images IMAGES --features FEATURES.safetensors \
        [--hf FOLDER] [--open-clip FOLDER] [--openai FILE.pt]

FEATURES comes from `diva encode --clip MODEL --images IMAGES --out FEATURES.safetensors` in fp32. Needs torch, safetensors and pillow, and
of transformers, open_clip_torch and openai-clip those that are asked for. Not part of the test run.
"""
import argparse
import json
import sys

import torch
from PIL import Image
from safetensors import safe_open


def read_features(path):
    """Rows of image_embeds and the paths that they belong to."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        names = json.loads(metadata["images"]) if "images" in metadata else None
        return file.get_tensor("image_embeds").float(), names


def unit(features):
    return features / features.norm(dim=-1, keepdim=True)


def by_transformers(folder, images):
    from transformers import AutoImageProcessor, AutoModel, CLIPVisionModel

    model = AutoModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    pixels = processor(images=images, return_tensors="pt")["pixel_values"]
    features = model.get_image_features(pixel_values=pixels)
    if not torch.is_tensor(features):  # transformers 5 gives the output of the tower, with the embedding in it
        features = features.pooler_output
    if model.config.model_type == "clip":
        # What LLaVA's CLIPVisionTower does: the vision model alone, from the same folder.
        tower, report = CLIPVisionModel.from_pretrained(folder, torch_dtype=torch.float32, output_loading_info=True)
        assert not report["missing_keys"], report["missing_keys"]
        states = tower.eval()(pixels, output_hidden_states=True).hidden_states
        assert torch.isfinite(states[-2]).all()
    return features


def by_open_clip(folder, images):
    import open_clip

    model, preprocess = open_clip.create_model_from_pretrained("local-dir:" + folder)
    return model.float().eval().encode_image(torch.stack([preprocess(image) for image in images]))


def by_openai(file, images):
    from clip.clip import _transform
    from clip.model import build_model

    model = build_model(torch.load(file, map_location="cpu", weights_only=True)).float().eval()
    preprocess = _transform(model.visual.input_resolution)
    return model.encode_image(torch.stack([preprocess(image) for image in images]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", nargs="+", required=True, help="the images, in the order of the rows")
    parser.add_argument("--features", required=True)
    parser.add_argument("--hf")
    parser.add_argument("--open-clip")
    parser.add_argument("--openai")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest difference of unit features")
    args = parser.parse_args()
    expected, names = read_features(args.features)
    print(f"{len(expected)} rows" + (f", first {names[0]}" if names else ""))
    images = [Image.open(path) for path in args.images]
    failed = False
    for name, where, load in (
        ("transformers", args.hf, by_transformers),
        ("open_clip", args.open_clip, by_open_clip),
        ("openai-clip", args.openai, by_openai),
    ):
        if where:
            with torch.no_grad():
                difference = (unit(load(where, images)) - unit(expected)).abs().max().item()
            ok = difference <= args.tolerance
            failed |= not ok
            print(f"{name}: largest difference {difference:.2e} {'ok' if ok else 'TOO LARGE'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
