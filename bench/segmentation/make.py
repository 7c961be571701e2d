"""A CLIP of random weights, a SAN of random weights on it, and pictures with labels: make.py FOLDER L14-336|B16 TINY. The text tower has one layer."""
import json, os, sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from authors import build, config

folder, kind, tiny = sys.argv[1], sys.argv[2], sys.argv[3] != "0"
large = kind == "L14-336"
name = "bench-" + kind
layers, deep = (4, 3) if tiny else (24, 18) if large else (12, 9)
width = 128 if tiny else 1024 if large else 768
embedding = 64 if tiny else 768 if large else 512
side = 160 if tiny else 640
shape = dict(embed_dim=embedding, quick_gelu=True,
             vision_cfg=dict(image_size=336 if large else 224, layers=layers, width=width, head_width=64, patch_size=14 if large else 16),
             text_cfg=dict(context_length=77, vocab_size=49408, width=embedding, heads=embedding // 64, layers=1))
share = 0.7 if large else 0.5
fusion = {k: deep * k // 3 for k in range(4)}
os.makedirs(folder + "/open_clip")
os.makedirs(folder + "/clip")
json.dump(shape, open(f"{folder}/open_clip/{name}.json", "w"))
json.dump(dict(config="san_clip_vit_large_res4_coco.yaml" if large else "san_clip_vit_res4_coco.yaml", keys=[
    "MODEL.DEVICE", "cpu", "MODEL.SAN.CLIP_MODEL_NAME", name, "MODEL.SAN.CLIP_PRETRAINED_NAME", "", "MODEL.SAN.CLIP_RESOLUTION", share,
    "MODEL.SAN.FEATURE_LAST_LAYER_IDX", deep, "MODEL.SIDE_ADAPTER.FUSION_MAP", [f"{clip}->{block}" for block, clip in fusion.items()],
    "MODEL.SIDE_ADAPTER.IMAGE_SIZE", side, "MODEL.SIDE_ADAPTER.ATTN_BIAS.NUM_HEADS", width // 64]), open(folder + "/keys.json", "w"))

torch.manual_seed(0)
model = build(folder, config(folder))
state = {key: value.contiguous() for key, value in model.state_dict().items()}
torch.save({"model": state}, folder + "/san.pth")
learns = {key for key, parameter in model.named_parameters() if parameter.requires_grad}
save_file({key: state[key] for key in learns}, folder + "/san.safetensors")


def clip_name(key):
    """What a tensor of SAN is called in the CLIP it came from; None for SAN's own."""
    if key.startswith("clip_visual_extractor."):
        return key.replace("clip_visual_extractor.resblocks", "visual.transformer.resblocks").replace("clip_visual_extractor", "visual")
    if key.startswith("clip_rec_head.resblocks."):
        block, rest = key[len("clip_rec_head.resblocks."):].split(".", 1)
        return f"visual.transformer.resblocks.{int(block) + deep}.{rest}"
    if key.startswith("clip_rec_head."):
        return key.replace("clip_rec_head", "visual")
    if key.startswith("ov_classifier.") and not key.endswith(("bg_embed", "attn_mask")):
        return key.replace("ov_classifier.", "")
    return None


save_file({clip_name(key): value.clone() for key, value in state.items() if clip_name(key)}, folder + "/clip/open_clip_model.safetensors", metadata={"format": "pt"})
mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
json.dump({"model_cfg": shape, "preprocess_cfg": {"mean": mean, "std": std}}, open(folder + "/clip/open_clip_config.json", "w"))

random = np.random.default_rng(0)
images, labels = f"{folder}/data/coco/train2017", f"{folder}/data/coco/stuffthingmaps_detectron2/train2017"
os.makedirs(images)
os.makedirs(labels)
for k in range(8):
    coarse = Image.fromarray(random.integers(0, 256, (20, 20, 3), dtype=np.uint8))
    coarse.resize((side, side), Image.BICUBIC).save(f"{images}/{k}.png")
    classes = random.choice(171, 8, replace=False).astype(np.uint8)
    Image.fromarray(classes[random.integers(0, 8, (10, 10))]).resize((side, side), Image.NEAREST).save(f"{labels}/{k}.png")
open(folder + "/san.yaml", "w").write(f"clipResolution: {share}\nsideHeads: 6\nfusion: {json.dumps(fusion)}\nrecognitionLayer: {deep}\nshortEdge: {side}\n".replace('"', ""))
