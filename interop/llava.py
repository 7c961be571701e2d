#!/usr/bin/env python3
"""Loads what `diva mllm swap` wrote with transformers and compares it with the LLaVA and the CLIP that it was made of.

    diva mllm swap --llava LLAVA --clip CLIP --out SWAPPED
    diva mllm ask --llava SWAPPED --image IMAGE --prompt "USER: <image>\\nWhat is it? ASSISTANT:" --image-aspect crop \
        --max-new-tokens 20 --precision fp32 --json > ANSWER.json
    python interop/llava.py --llava LLAVA --clip CLIP --swapped SWAPPED --image IMAGE --answer ANSWER.json

CLIP is a folder of transformers (or what `diva export --to hf` wrote). Logits of SWAPPED have to be those of LLAVA whose tower was replaced in
memory, and the greedy tokens those of ANSWER. A folder of LLaVA's authors is put together from transformers' CLIPVisionModel and
LlamaForCausalLM, as their code does. Needs torch, transformers, safetensors, pillow. Not part of the test run.
"""
import argparse
import json
import pathlib
import re
import sys

import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoConfig, AutoProcessor, CLIPImageProcessor, CLIPVisionModel, LlamaConfig, LlamaForCausalLM
from transformers import LlavaForConditionalGeneration


def loaded(cls, folder, **options):
    model, report = cls.from_pretrained(folder, torch_dtype=torch.float32, output_loading_info=True, **options)
    wrong = report["missing_keys"] or report["mismatched_keys"] or cls is not CLIPVisionModel and report["unexpected_keys"]
    assert not wrong, wrong
    return model.eval()


def as_published(folder):
    """State of a llava-hf folder under the names that every version of transformers reads."""
    state = {}
    for file in sorted(pathlib.Path(folder).glob("*.safetensors")):
        state |= load_file(file)
    rename = lambda name: re.sub(r"^model\.(vision_tower|multi_modal_projector)\.", r"\1.", re.sub(
        r"^model\.language_model\.", "language_model.model.", re.sub(r"^lm_head\.", "language_model.lm_head.", name)))
    return {rename(name): tensor.float() for name, tensor in state.items()}


class Hub:
    """transformers' own class."""

    def __init__(self, folder, state=None):
        options = {"state_dict": state, "config": AutoConfig.from_pretrained(folder)} if state else {}
        self.model = loaded(LlavaForConditionalGeneration, None if state else folder, **options)
        self.processor = AutoProcessor.from_pretrained(folder).image_processor

    def replace(self, tower):
        self.model.vision_tower = tower

    def logits(self, ids, image):
        pixels = self.processor(images=[image], return_tensors="pt")["pixel_values"]
        return self.model(input_ids=ids, pixel_values=pixels, attention_mask=torch.ones_like(ids)).logits[0]


class Authors:
    """LLaVA's layout: tower from mm_vision_tower, the rest from the checkpoint; -200 stands for the image."""

    def __init__(self, folder, tower=None):
        folder = pathlib.Path(folder)
        config = json.loads((folder / "config.json").read_text())
        weights = {}
        for file in sorted(folder.glob("*.safetensors")):
            weights |= load_file(file)
        for file in [] if weights else sorted(folder.glob("pytorch_model*.bin")):
            weights |= torch.load(file, map_location="cpu", weights_only=True)
        weights = {name: tensor.float() for name, tensor in weights.items()}
        mine = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                "num_key_value_heads", "rms_norm_eps", "max_position_embeddings", "rope_theta")
        self.model = LlamaForCausalLM(LlamaConfig(**{k: config[k] for k in mine if k in config})).eval()
        llm = {k: v for k, v in weights.items() if "mm_projector" not in k and "vision_tower" not in k}
        self.model.load_state_dict(llm)
        self.weights, self.layer = weights, config["mm_vision_select_layer"]
        where = tower or config["mm_vision_tower"]
        self.tower = loaded(CLIPVisionModel, where)
        self.processor = CLIPImageProcessor.from_pretrained(where)

    def project(self, x):
        linear = lambda x, n: x @ self.weights[f"model.mm_projector.{n}.weight"].T + self.weights[f"model.mm_projector.{n}.bias"]
        return linear(torch.nn.functional.gelu(linear(x, 0)), 2)

    def logits(self, ids, image):
        pixels = self.processor(images=[image], return_tensors="pt")["pixel_values"]
        seen = self.project(self.tower(pixels, output_hidden_states=True).hidden_states[self.layer][:, 1:])
        at = ids[0].tolist().index(-200)
        embed = self.model.get_input_embeddings()
        merged = torch.cat([embed(ids[:, :at]), seen, embed(ids[:, at + 1:])], 1)
        return self.model(inputs_embeds=merged).logits[0]


def greedy(model, prompt, image, count, end=2):
    tokens = []
    while len(tokens) < count and end not in tokens:
        tokens.append(model.logits(torch.tensor([prompt + tokens]), image)[-1].argmax().item())
    return tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--llava", "--clip", "--swapped", "--image", "--answer"):
        parser.add_argument(name, required=True)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    args = parser.parse_args()
    answer = json.loads(pathlib.Path(args.answer).read_text())
    image = Image.open(args.image).convert("RGB")
    prompt = answer["promptTokens"]
    with torch.no_grad():
        if -200 in prompt:
            swapped, expected = Authors(args.swapped), Authors(args.llava, tower=args.clip)
        else:
            swapped, expected = Hub(args.swapped), Hub(args.llava, as_published(args.llava))
            expected.replace(loaded(CLIPVisionModel, args.clip))
            expected.processor = CLIPImageProcessor.from_pretrained(args.clip)
        ids = torch.tensor([prompt])
        difference = (swapped.logits(ids, image) - expected.logits(ids, image)).abs().max().item()
        tokens = greedy(swapped, prompt, image, len(answer["tokens"]))
    print(f"logits: largest difference {difference:.1e}")
    print(f"tokens: {tokens} {'as diva' if tokens == answer['tokens'] else 'but diva gave ' + str(answer['tokens'])}")
    sys.exit(not (difference <= args.tolerance and tokens == answer["tokens"]))


if __name__ == "__main__":
    main()
