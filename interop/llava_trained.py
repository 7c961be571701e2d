#!/usr/bin/env python3
"""Loads what `diva mllm train` left of a LLaVA of the hub's layout with transformers and peft.

    diva mllm train --stage instruct --llava BASE ... --out PART                     # adapter over BASE
    diva mllm train --stage instruct --llava BASE ... --out WHOLE --output merged    # the same run, written whole
    python interop/llava_trained.py --base BASE --part PART/llava --whole WHOLE/llava

Every key of WHOLE has to be known, and peft's merge of PART into BASE has to be WHOLE. Needs torch, transformers, peft. Not part of the test run.
"""
import argparse

import torch
from peft import PeftModel
from transformers import LlavaForConditionalGeneration

parser = argparse.ArgumentParser()
for name in ("base", "part", "whole"):
    parser.add_argument("--" + name, required=True)
args = parser.parse_args()

whole, report = LlavaForConditionalGeneration.from_pretrained(args.whole, output_loading_info=True)
assert not any(report.values()), report
merged = PeftModel.from_pretrained(LlavaForConditionalGeneration.from_pretrained(args.base), args.part).merge_and_unload()
beside = torch.load(args.part + "/non_lora_trainables.bin", weights_only=True)
merged.load_state_dict({name.removeprefix("base_model.model."): tensor for name, tensor in beside.items()}, strict=False)
theirs, ours = merged.state_dict(), whole.state_dict()
assert theirs.keys() == ours.keys()
largest = max((theirs[name].float() - ours[name].float()).abs().max().item() for name in ours)
print(f"{len(ours)} tensors, largest difference {largest:.1e}")
