"""Loads the adapter of a LoRA run with peft and compares embeddings and merged weights with the run's own result.

    python peft_run.py RUN ADAPTER        (diva export --clip RUN --to peft --out ADAPTER; the run's base in transformers' layout)
"""
import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModel

run, adapter = Path(sys.argv[1]), Path(sys.argv[2])
config = json.loads((adapter / "adapter_config.json").read_text())
base = AutoModel.from_pretrained(config["base_model_name_or_path"], torch_dtype=torch.float32)
before = {name: tensor.clone() for name, tensor in base.state_dict().items()}
merged = PeftModel.from_pretrained(base, adapter).merge_and_unload().eval()
result = AutoModel.from_pretrained(run / "clip", torch_dtype=torch.float32).eval()

expected = result.state_dict()
worst = max((merged.state_dict()[name] - tensor).abs().max().item() for name, tensor in expected.items())
change = max((before[name] - tensor).abs().max().item() for name, tensor in expected.items())
size = result.config.vision_config.image_size
pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


def features(model):
    out = model.get_image_features(pixel_values=pixels)
    return out if isinstance(out, torch.Tensor) else out.pooler_output


with torch.no_grad():
    difference = (features(merged) - features(result)).abs().max().item()
print(f"weights differ by {worst:.2e} (trained: {change:.2e}), embeddings by {difference:.2e}")
assert change > 0 and worst <= 1e-6 and difference <= 1e-5
