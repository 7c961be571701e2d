"""Golden cases of peft's adapters: peft_adapters.py SEED SCALE OUT (SCALE 1, 2, ... makes larger models).

Writes OUT/peft-clip and OUT/peft-siglip: a tiny base model, several adapter folders over it, and what merge_and_unload() makes
of each. Made with torch 2.10, transformers 4.46.3, peft 0.14.0; other versions give the same numbers.
"""
import json
import random
import sys
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, CLIPVisionModel, SiglipConfig, SiglipModel

SEED, SCALE, OUT = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])


def sizes(rng):
    heads = rng.choice([2, 4])
    width = 4 * heads * SCALE
    return dict(hidden_size=width, intermediate_size=2 * width + 4, num_attention_heads=heads,
                num_hidden_layers=1 + rng.choice([1, SCALE]))


def clip(rng):
    config = CLIPConfig(
        vision_config=dict(sizes(rng), image_size=24, patch_size=8, hidden_act="quick_gelu"),
        text_config=dict(sizes(rng), vocab_size=97, max_position_embeddings=12, eos_token_id=96, bos_token_id=95),
        projection_dim=12 * SCALE)
    return CLIPModel(config)


def siglip(rng):
    text = sizes(rng)
    config = SiglipConfig(
        vision_config=dict(sizes(rng), image_size=24, patch_size=8),
        text_config=dict(text, vocab_size=97, max_position_embeddings=12, projection_size=text["hidden_size"]))
    config.vision_config.hidden_size = config.text_config.hidden_size
    config.vision_config.num_attention_heads = config.text_config.num_attention_heads
    return SiglipModel(config)


def adapters(rng, vision_projection):
    r = rng.choice([2, 3, 4])
    kinds = {
        "lora": dict(r=r, lora_alpha=2 * r + 1, target_modules=["q_proj", "v_proj", "fc1"]),
        "rslora": dict(r=r, lora_alpha=5, use_rslora=True, target_modules=r".*vision_model.*\.(k_proj|out_proj|fc2)"),
        "dora": dict(r=r, lora_alpha=7, use_dora=True, target_modules=["q_proj", "k_proj", "fc2"]),
        "patterns": dict(r=r, lora_alpha=9, target_modules=["q_proj", "fc1", "fc2"],
                         rank_pattern={"fc1": r + 1, r"layers\.0\.self_attn\.q_proj": r + 2},
                         alpha_pattern={"fc1": 3, r"layers\.0\.self_attn\.q_proj": 11}, use_rslora=True),
        "biases": dict(r=r, lora_alpha=r, bias="all", target_modules=["q_proj", "fc1"]),
        "saved-modules": dict(r=r, lora_alpha=4, target_modules=["v_proj"],
                              modules_to_save=vision_projection + ["post_layernorm"]),
        "convolution": dict(r=r, lora_alpha=4, target_modules=["patch_embedding", "position_embedding", "fc1"]),
        "convolution-dora": dict(r=r, lora_alpha=6, use_dora=True, target_modules=["patch_embedding", "v_proj"]),
        "output-biases": dict(r=r, lora_alpha=r, lora_bias=True, target_modules=["fc1", "q_proj"]),
    }
    return kinds


def randomise(model, generator):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator) * 0.2
                parameter.copy_(parameter + noise if "magnitude" in name else noise)


def case(name, base, classes, projections, kinds, rng):
    generator = torch.Generator().manual_seed(SEED)
    folder = OUT / name
    folder.mkdir(parents=True)
    with torch.no_grad():
        for parameter in base.parameters():
            if parameter.dim() > 0:
                parameter.copy_((torch.randn(parameter.shape, generator=generator) * 0.2).half().float())
    base.save_pretrained(folder / "base")
    size = base.config.vision_config.image_size
    pixels = torch.randn(3, 3, size, size, generator=generator)
    ids = torch.randint(0, 90, (3, 12), generator=generator)
    ids[:, -1] = 96
    expected, told = {}, {}
    for kind, options in adapters(rng, projections).items():
        if kinds and kind not in kinds:
            continue
        for whole in (True, False):
            if not whole and kind not in ("lora", "dora", "saved-modules"):
                continue
            model = base.__class__.from_pretrained(folder / "base") if whole else classes[1].from_pretrained(folder / "base")
            options = dict(options)
            if not whole and "modules_to_save" in options:
                options["modules_to_save"] = ["post_layernorm"]
            wrapped = get_peft_model(model, LoraConfig(**options))
            randomise(wrapped, generator)
            key = kind if whole else kind + "-vision"
            binary = kind in ("rslora", "biases")
            wrapped.save_pretrained(folder / key, safe_serialization=not binary)
            for readme in folder.glob("*/README.md"):
                readme.unlink()
            config = json.loads((folder / key / "adapter_config.json").read_text())
            config["base_model_name_or_path"] = "base"
            (folder / key / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
            if kind == "output-biases":  # peft 0.14 merges it without the scale that its forward pass has: alpha is r
                assert config["lora_alpha"] == config["r"]
            merged = wrapped.merge_and_unload().eval()
            with torch.no_grad():
                if whole:
                    expected[key + ".image_embeds"] = features(merged.get_image_features(pixel_values=pixels))
                    expected[key + ".text_embeds"] = features(merged.get_text_features(input_ids=ids))
                for tensor, value in merged.state_dict().items():
                    if whole or not tensor.startswith("text_model."):
                        if not torch.equal(value, base.state_dict().get(tensor, torch.zeros(0))):
                            expected[key + ".merged." + tensor] = value.clone()
            told[key] = dict(options, whole=whole)
    save_file(expected, folder / "expected.safetensors")
    save_file({"pixel_values": pixels, "input_ids": ids}, folder / "inputs.safetensors")
    (folder / "case.json").write_text(json.dumps({
        "what": "Embeddings and merged tensors of a tiny model under each adapter, by peft's merge_and_unload().",
        "seed": SEED, "adapters": told, "tolerance_abs_fp32": 1e-5, "tolerance_merged": 1e-6,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
    }, indent=2) + "\n")


def features(result):
    return result if isinstance(result, torch.Tensor) else result.pooler_output


torch.manual_seed(SEED)
random_numbers = random.Random(SEED)
case("peft-clip", clip(random_numbers), (CLIPModel, CLIPVisionModel), ["visual_projection"], None, random_numbers)
case("peft-siglip", siglip(random_numbers), (SiglipModel, transformers.SiglipVisionModel), ["head"],
     ["lora", "dora", "biases", "saved-modules"], random_numbers)
