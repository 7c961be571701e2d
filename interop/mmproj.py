"""Reads what `diva export --llava DIR --to gguf` wrote with the gguf package, computes a picture's features in the order of llama.cpp's graph
for LLaVA, and compares them with those of transformers.

    python mmproj.py DIR mmproj.gguf      (DIR in the hub's layout; gguf 0.19, transformers 4.46 or 5)
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from gguf import GGUFReader
from transformers import LlavaForConditionalGeneration

folder, file = Path(sys.argv[1]), Path(sys.argv[2])
reader = GGUFReader(file)
value = lambda key: reader.get_field(key).contents()
tensors = {t.name: torch.from_numpy(np.array(t.data)).float().reshape(tuple(int(n) for n in reversed(t.shape)))
           for t in reader.tensors}
assert value("general.architecture") == "clip" and value("clip.has_vision_encoder")
size, patch, width = (value("clip.vision." + key) for key in ("image_size", "patch_size", "embedding_length"))
heads, eps, layers = (value("clip.vision." + key) for key in
                      ("attention.head_count", "attention.layer_norm_epsilon", "block_count"))
assert max(value("clip.vision.feature_layer")) == layers
act = F.gelu if value("clip.use_gelu") else lambda x: x * torch.sigmoid(1.702 * x)


def linear(x, name):
    return F.linear(x, tensors[name + ".weight"], tensors[name + ".bias"])


def norm(x, name):
    return F.layer_norm(x, (width,), tensors[name + ".weight"], tensors[name + ".bias"], eps)


def features(pixels):
    x = F.conv2d(pixels, tensors["v.patch_embd.weight"], stride=patch).flatten(2).transpose(1, 2)
    x = torch.cat([tensors["v.class_embd"].expand(len(x), 1, width), x], 1) + tensors["v.position_embd.weight"]
    x = norm(x, "v.pre_ln")
    for i in range(layers):
        block = f"v.blk.{i}."
        y = norm(x, block + "ln1")
        q, k, v = (linear(y, block + "attn_" + part).unflatten(2, (heads, -1)).transpose(1, 2) for part in "qkv")
        x = x + linear(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2), block + "attn_out")
        up, down = "ffn_up", "ffn_down"
        if tensors[block + "ffn_down.weight"].shape[1] == width:  # by the names of the old converter
            up, down = down, up
        x = x + linear(act(linear(norm(x, block + "ln2"), block + up)), block + down)
    return linear(F.gelu(linear(x[:, 1:], "mm.0")), "mm.2")


model = LlavaForConditionalGeneration.from_pretrained(folder, torch_dtype=torch.float32).eval()
pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    expected = model.get_image_features(
        pixel_values=pixels, vision_feature_layer=model.config.vision_feature_layer,
        vision_feature_select_strategy="default")
    expected = getattr(expected, "pooler_output", expected)
    expected = torch.stack(list(expected)) if not isinstance(expected, torch.Tensor) else expected
    actual = features(pixels)
exact = value("general.file_type") == 0
difference = ((actual - expected).abs().max() / expected.abs().max()).item()
print(f"{file.name}: {len(tensors)} tensors, {layers} layers, features differ by {difference:.1e} of the largest"
      f" ({'fp32' if exact else 'fp16'})")
assert difference < (1e-5 if exact else 1e-2)
