"""The image tower of an export in open_clip's layout, loaded by timm alone, against `diva encode`.

    diva export --clip MODEL --to open_clip --out EXPORT
    diva encode --clip EXPORT --precision fp32 --images PICTURE... --out EMBEDDINGS.safetensors
    python interop/timm_towers.py EXPORT EMBEDDINGS.safetensors PICTURE...

prints the largest difference of unit embeddings. Sizes are passed to timm as the file has them, so that tiny models load too. torch 2.10.0, timm 1.0.31,
open_clip_torch 3.3.0 (for the pixels alone).
"""

import json
import pathlib
import sys

import timm
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import load_file


def tower(folder, config):
    """Name and arguments of timm."""
    vision = config["vision_cfg"]
    tensors = load_file(folder / "open_clip_model.safetensors")
    sizes = {"img_size": vision["image_size"]}
    if "timm_model_name" not in vision:
        name = "vit_base_patch16_clip_quickgelu_224" if config.get("quick_gelu") else "vit_base_patch16_clip_224"
        sizes |= {"patch_size": vision["patch_size"], "embed_dim": vision["width"], "depth": vision["layers"],
                  "num_heads": vision["width"] // vision.get("head_width", 64), "mlp_ratio": vision.get("mlp_ratio", 4.0)}
        return name, {**sizes, "num_classes": config["embed_dim"]}
    patches = tensors.get("visual.trunk.patch_embed.proj.weight")
    if patches is not None:
        blocks = {name.split(".")[3] for name in tensors if name.startswith("visual.trunk.blocks.")}
        sizes |= {"patch_size": patches.shape[-1], "embed_dim": patches.shape[0], "depth": len(blocks)}
    inner = tensors.get("visual.trunk.blocks.0.mlp.fc1.weight")
    if inner is not None:  # EVA-02's SwiGLU has other names
        sizes["mlp_ratio"] = inner.shape[0] / inner.shape[1]
    heads = vision.get("timm_kwargs", {}).get("num_heads")
    if heads:
        sizes["num_heads"] = heads
    classes = 0 if vision.get("timm_proj") == "none" else config["embed_dim"]
    return vision["timm_model_name"], {**sizes, "num_classes": classes, "global_pool": vision["timm_pool"]}


def main():
    folder, embeddings, pictures = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    whole = json.loads((folder / "open_clip_config.json").read_text())
    name, sizes = tower(folder, whole["model_cfg"])
    overlay = {"file": str(folder / "open_clip_model.safetensors"), "num_classes": sizes["num_classes"]}
    model = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **sizes).eval()
    pixels = PreprocessCfg(**{**whole["preprocess_cfg"], "size": whole["model_cfg"]["vision_cfg"]["image_size"]})
    transform = image_transform_v2(pixels, is_train=False)
    with torch.no_grad():
        features = model(torch.stack([transform(Image.open(picture)) for picture in pictures]))
    unit = torch.nn.functional.normalize(features, dim=-1)
    expected = load_file(embeddings)["image_embeds"]
    print(name, f"{(unit - expected).abs().max():.1e}")


main()
