"""Writes a llava-hf folder of random weights: FOLDER true|tiny|7b TOKENIZER_FOLDER. 7b: all 32 layers in bf16, pictures of 56 pixels."""
import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

folder, size, source = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
own = LlavaConfig.from_pretrained(source)
true = size != "tiny"
whole = size == "7b"
side = 56 if whole else 336
vision = CLIPVisionConfig(
    hidden_size=1024 if true else 64, intermediate_size=4096 if true else 128, num_hidden_layers=24 if true else 3,
    num_attention_heads=16 if true else 4, image_size=side, patch_size=14, projection_dim=768 if true else 32)
text = LlamaConfig(
    vocab_size=32064 if true else own.text_config.vocab_size, hidden_size=4096 if true else 64,
    intermediate_size=11008 if true else 128, num_hidden_layers=32 if whole else 4 if true else 2, num_attention_heads=32 if true else 4,
    num_key_value_heads=32 if true else 4, max_position_embeddings=4096, rms_norm_eps=1e-5)
config = LlavaConfig(
    vision, text, image_token_index=own.image_token_index, vision_feature_layer=-2, vision_feature_select_strategy="default",
    image_seq_length=(side // 14) ** 2)
torch.manual_seed(0)
if whole: torch.set_default_dtype(torch.bfloat16)
model = LlavaForConditionalGeneration(config).eval()
folder.mkdir(parents=True)
for source_file in source.iterdir():
    if source_file.name not in ("config.json", "model.safetensors"):
        shutil.copy(source_file, folder)
model.save_pretrained(folder)
processor = folder / "preprocessor_config.json"
settings = json.loads(processor.read_text())
settings["size"] = {"shortest_edge": side}
settings["crop_size"] = {"height": side, "width": side}
processor.write_text(json.dumps(settings, indent=2))
settings = json.loads((folder / "processor_config.json").read_text())
settings["patch_size"] = 14
(folder / "processor_config.json").write_text(json.dumps(settings, indent=2))
