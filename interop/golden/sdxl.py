"""Golden case of SDXL as a whole teacher: sdxl.py SEED SCALE TOKENIZER OUT (SCALE 1, 2, ... makes a larger model).

Writes OUT/sdxl: a tiny StableDiffusionXLPipeline with random weights (fp16), what its encode_prompt gives, and the UNet's prediction, loss and
gradient under that prompt. TOKENIZER is a folder of CLIP's tokenizer with a short vocabulary, for instance that of the case sd21. Made with
torch 2.10, transformers 4.46.3, diffusers 0.31.0.
"""
import json
import random
import sys
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

SEED, SCALE, TOKENIZER, OUT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
rng = random.Random(SEED)
torch.manual_seed(SEED)
folder = OUT / "sdxl"
tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER, pad_token="<|endoftext|>")
second = CLIPTokenizer.from_pretrained(TOKENIZER, pad_token="!")
ids = len(tokenizer)


def text(heads, act, eos):
    return CLIPTextConfig(
        vocab_size=ids, hidden_size=4 * heads * SCALE, intermediate_size=24 * SCALE, num_attention_heads=heads,
        num_hidden_layers=rng.choice([2, 3]), hidden_act=act, projection_dim=12 * SCALE, eos_token_id=eos)


encoders = [CLIPTextModel(text(2, "quick_gelu", tokenizer.eos_token_id)),
            CLIPTextModelWithProjection(text(3, "gelu", rng.choice([2, tokenizer.eos_token_id])))]
pooled = encoders[1].config.projection_dim
unet = UNet2DConditionModel(
    block_out_channels=(8 * SCALE, 16 * SCALE), layers_per_block=1, norm_num_groups=4,
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    transformer_layers_per_block=(1, rng.choice([1, 2])), attention_head_dim=(2, 4), use_linear_projection=True,
    addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=48 + pooled,
    cross_attention_dim=sum(encoder.config.hidden_size for encoder in encoders), sample_size=8)
vae = AutoencoderKL(block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4, scaling_factor=0.13025,
                    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, sample_size=16)
scheduler = EulerDiscreteScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
pipeline = StableDiffusionXLPipeline(
    vae=vae, text_encoder=encoders[0], text_encoder_2=encoders[1], tokenizer=tokenizer, tokenizer_2=second, unet=unet,
    scheduler=scheduler)
with torch.no_grad():
    for part in (vae, unet, *encoders):
        for name, parameter in part.named_parameters():  # larger than a new model's, so that texts differ
            if "embedding" in name and "position" not in name and "time" not in name:
                parameter.mul_(20)
pipeline.to(torch.float16).save_pretrained(folder)
pipeline.to(torch.float32)

inputs, expected = {}, {}
prompts = {"empty": "", "words": "a photo of two red cats on a table."}
with torch.no_grad():
    for name, prompt in prompts.items():
        states, _, vector, _ = pipeline.encode_prompt(prompt, device="cpu", do_classifier_free_guidance=False)
        expected[f"{name}.states"], expected[f"{name}.pooled"] = states, vector
generator = torch.Generator().manual_seed(SEED)
height, width = 8, rng.choice([6, 8])
zt = torch.randn(2, 4, height, width, generator=generator)
noise = torch.randn(2, 4, height, width, generator=generator)
t = torch.tensor([rng.randrange(1000), rng.randrange(1000)])
numbers = torch.tensor([[8 * height, 8 * width, 0, 0, 8 * height, 8 * width]] * 2).float()
condition = expected["words.states"].repeat(2, 1, 1).requires_grad_()
prediction = unet(zt, t, condition, added_cond_kwargs={
    "text_embeds": expected["words.pooled"].repeat(2, 1), "time_ids": numbers}).sample
loss = (prediction - noise).square().mean()
loss.backward()
inputs.update(zt=zt, noise=noise, timesteps=t)
expected.update(prediction=prediction.detach(), loss=loss.detach(), gradient=condition.grad)
save_file({name: value.contiguous() for name, value in inputs.items()}, folder / "inputs.safetensors")
save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")
(folder / "case.json").write_text(json.dumps({
    "what": "SDXL: states and pooled text of prompts, and the UNet's prediction of `zt` under `words`, its loss against `noise` and gradient.",
    "seed": SEED, "prompts": prompts, "tolerance_abs_fp32": 1e-5,
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "diffusers": diffusers.__version__},
}, indent=2) + "\n")
