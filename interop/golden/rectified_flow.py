"""Golden cases of teachers of rectified flows: rectified_flow.py SEED SCALE CLIP OUT (SCALE 1, 2, ... makes larger models).

Writes OUT/flux1-dev, flux1-schnell, sd35-medium and sd3-medium: tiny pipelines with random weights (fp16), what their encode_prompt gives (schnell and
sd3-medium come without T5), the scheduler's levels of training, a latent, the transformer's prediction, loss and gradients, and one step of DIVA. CLIP is the folder of the tower that is
trained, for instance the case clip-hf-vit. Made with torch 2.10, transformers 4.46.3, diffusers 0.31.0.
"""
import json
import random
import sys
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (
    AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel, SD3Transformer2DModel, StableDiffusion3Pipeline)
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, T5Config, T5EncoderModel, T5TokenizerFast)
from transformers.models.clip.tokenization_clip import bytes_to_unicode

SEED, SCALE, CLIP, OUT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
PROMPTS = {"empty": "", "words": "a photo of two red cats on a table."}
CHANNELS, SIDE, BATCH, DRAWS = 16, 24, 2, 2
MERGES = ["a t", "c at", "r e", "re d</w>", "o f</w>", "o n</w>", "p h", "ph o", "pho t", "phot o</w>", "t a", "ta b", "l e</w>"]
rng = random.Random(SEED)
torch.manual_seed(SEED)


def clip_tokenizer(folder, pad):
    """CLIP's bytes and a few merges."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = list(bytes_to_unicode().values())
    pieces = letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in MERGES]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    return CLIPTokenizer(folder / "vocab.json", folder / "merges.txt", pad_token=pad, model_max_length=77)


def t5_tokenizer():
    """Pieces by their scores, an end behind every text, padding with 0."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(letter, -4.0 - 0.1 * i) for i, letter in enumerate("etaoinshrdlucmfwypvbgkjqxz.,'")]
    pieces += [("▁a", -2.5), ("▁photo", -5.0), ("▁of", -3.5), ("▁two", -5.5), ("▁red", -5.2), ("▁cat", -5.1), ("s", -3.0), ("▁on", -3.6),
               ("▁table", -6.0), ("at", -4.4)]
    seen = dict(pieces)
    tokenizer = Tokenizer(models.Unigram(list(seen.items()), unk_id=2, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return T5TokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>", pad_token="<pad>", extra_ids=0, model_max_length=512)


def clip_text(ids, width, model):
    return model(CLIPTextConfig(
        vocab_size=ids, hidden_size=width * SCALE, intermediate_size=16 * SCALE, num_attention_heads=2,
        num_hidden_layers=2, hidden_act=rng.choice(["quick_gelu", "gelu"]), projection_dim=12 * SCALE,
        eos_token_id=rng.choice([2, ids - 1])))


def t5(ids, width):
    return T5EncoderModel(T5Config(
        vocab_size=ids, d_model=width, d_kv=6, d_ff=20 * SCALE, num_layers=2, num_heads=rng.choice([2, 3]),
        relative_attention_num_buckets=16, relative_attention_max_distance=40, feed_forward_proj="gated-gelu"))


def autoencoder():
    return AutoencoderKL(
        block_out_channels=(4, 4), layers_per_block=1, norm_num_groups=2, latent_channels=CHANNELS, scaling_factor=0.3611, shift_factor=0.1159,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, sample_size=16,
        use_quant_conv=False, use_post_quant_conv=False)


def livelier(*parts):
    """Larger embeddings, and scales of norms that are not 1, so that texts differ and no layer is left out unseen."""
    with torch.no_grad():
        for part in parts:
            for name, parameter in part.named_parameters():
                if any(table in name for table in ("token_embedding", "shared", "relative_attention_bias")):
                    parameter.mul_(20 if "token" in name else 1)
                elif parameter.dim() == 1:
                    parameter.add_(0.1 * torch.randn(parameter.shape))


def smooth_images(count):
    small = torch.rand(count, 3, 6, 6)
    return (torch.nn.functional.interpolate(small, SIDE, mode="bicubic").clamp(0, 1) * 255).round().to(torch.uint8)


@torch.no_grad()
def encoded(vae, pixels):
    if not hasattr(vae.config, "shift_factor"):  # AutoencoderDC
        return vae.encode(pixels).latent * vae.config.scaling_factor
    return (vae.encode(pixels).latent_dist.mean - vae.config.shift_factor) * vae.config.scaling_factor


def diva_step(velocity, vae, sigmas, vector, width, inputs, expected):
    """Two draws of one batch: all tokens of the tower, projected, in the place of the prompt's states; the pooled vector is the prompt's, if any."""
    clip = CLIPModel.from_pretrained(CLIP, attn_implementation="eager").float().eval()
    size, mean, std = clip.config.vision_config.image_size, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    projection = torch.nn.Linear(clip.config.projection_dim, width)
    images = smooth_images(BATCH)
    small = torch.stack([
        torch.from_numpy(np.array(Image.fromarray(x.permute(1, 2, 0).numpy()).resize((size, size), Image.BICUBIC))).permute(2, 0, 1)
        for x in images])
    pixels = (small.float() / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    latents = encoded(vae, images.float() / 127.5 - 1)
    hidden = clip.vision_model(pixels).last_hidden_state
    condition = projection(clip.visual_projection(clip.vision_model.post_layernorm(hidden)))
    torch.manual_seed(42)
    losses = []
    for _ in range(DRAWS):
        steps = torch.randint(0, len(sigmas), (BATCH,))
        noise = torch.randn(latents.shape)
        level = sigmas[steps].view(-1, 1, 1, 1)
        predicted = velocity((1 - level) * latents + level * noise, level.flatten(), condition, None if vector is None else vector.repeat(BATCH, 1))
        losses.append((predicted - (noise - latents)).square().mean())
    (sum(losses) / DRAWS).backward()
    learned = dict(clip.vision_model.named_parameters())
    inputs.update({"diva.images_u8": images, "visual_proj.weight": projection.weight.detach(), "visual_proj.bias": projection.bias.detach()})
    expected.update({"diva.losses": torch.stack(losses).detach(), "diva.grad.visual_proj.weight": projection.weight.grad})
    for name in ("embeddings.class_embedding", "post_layernorm.weight"):
        expected["diva.grad.vision_model." + name] = learned[name].grad


def numbers(velocity, width, pooled, vae, scheduler, tokens):
    """What a model computes: velocity is a function of latents, levels from 0 to 1, states and pooled vectors (None where there are none)."""
    inputs, expected = {}, {}
    channels = vae.config.latent_channels
    sigmas = scheduler.sigmas.flip(0)  # by rising timestep
    generator = torch.Generator().manual_seed(SEED)
    height, columns = 2 * rng.choice([2, 3]), 2 * rng.choice([1, 2])
    inputs["zt"] = torch.randn(BATCH, channels, height, columns, generator=generator)
    inputs["noise"] = torch.randn(BATCH, channels, height, columns, generator=generator)
    inputs["levels"] = sigmas[torch.randint(0, len(sigmas), (BATCH,), generator=generator)]
    inputs["states"] = torch.randn(BATCH, tokens, width, generator=generator)
    states, vector = inputs["states"].clone().requires_grad_(), None
    if pooled is not None:
        inputs["vector"] = torch.randn(BATCH, pooled.shape[1], generator=generator)
        vector = inputs["vector"].clone().requires_grad_()
    prediction = velocity(inputs["zt"], inputs["levels"], states, vector)
    loss = (prediction - inputs["noise"]).square().mean()
    loss.backward()
    expected.update({"prediction": prediction.detach(), "loss": loss.detach(), "gradient.states": states.grad, "levels": sigmas})
    if vector is not None:
        expected["gradient.vector"] = vector.grad
    inputs["pixels"] = 2 * torch.rand(1, 3, 12, 8, generator=generator) - 1
    expected["latent"] = encoded(vae, inputs["pixels"])
    diva_step(velocity, vae, sigmas, pooled, width, inputs, expected)
    return inputs, expected


def finish(folder, what, inputs, expected):
    save_file({name: value.contiguous() for name, value in inputs.items()}, folder / "inputs.safetensors")
    save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")
    (folder / "case.json").write_text(json.dumps({
        "what": what + ": states and pooled text of prompts; levels by rising timestep; `latent` of `pixels`; prediction of `zt` at `levels` under `states` and `vector`, its"
                " loss against `noise` and gradients; `diva`: the tower ../clip-hf-vit, all tokens, no text, batch 2, 2 draws after"
                " torch.manual_seed(42), each a randint of timesteps, then a randn.",
        "seed": SEED, "prompts": PROMPTS, "draws": DRAWS, "tolerance_abs_fp32": 1e-5,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "diffusers": diffusers.__version__},
    }, indent=2) + "\n")


def flux(name, guided, with_t5, scheduler):
    folder = OUT / name
    tokenizer = clip_tokenizer(folder / "tokenizer", "<|endoftext|>")
    second = t5_tokenizer()
    width = 12 * SCALE
    clip = clip_text(len(tokenizer), 8, CLIPTextModel)
    transformer = FluxTransformer2DModel(
        in_channels=4 * CHANNELS, num_layers=SCALE, num_single_layers=SCALE, attention_head_dim=8 * SCALE,
        num_attention_heads=2, joint_attention_dim=width, pooled_projection_dim=clip.config.hidden_size, guidance_embeds=guided,
        axes_dims_rope=rng.choice([(2 * SCALE, 2 * SCALE, 4 * SCALE), (2 * SCALE, 4 * SCALE, 2 * SCALE)]))
    pipeline = FluxPipeline(
        scheduler=scheduler, vae=autoencoder(), text_encoder=clip, tokenizer=tokenizer, text_encoder_2=t5(len(second), width) if with_t5 else None,
        tokenizer_2=second if with_t5 else None, transformer=transformer)
    livelier(*(part.eval() for part in pipeline.components.values() if isinstance(part, torch.nn.Module)))
    pipeline.to(torch.float16).save_pretrained(folder)
    pipeline.to(torch.float32)
    pipeline.transformer.requires_grad_(False)

    def velocity(zt, levels, states, vector):
        batch, channels, height, columns = zt.shape
        packed = pipeline._pack_latents(zt, batch, channels, height, columns)
        grid = torch.meshgrid(torch.arange(1), torch.arange(height // 2), torch.arange(columns // 2), indexing="ij")
        ids = torch.stack(grid, -1).reshape(-1, 3).float()
        predicted = pipeline.transformer(
            hidden_states=packed, timestep=levels, guidance=torch.full([batch], 3.5) if guided else None, pooled_projections=vector,
            encoder_hidden_states=states, txt_ids=torch.zeros(states.shape[1], 3), img_ids=ids, return_dict=False)[0]
        grid = predicted.view(batch, height // 2, columns // 2, channels, 2, 2).permute(0, 3, 1, 4, 2, 5)
        return grid.reshape(batch, channels, height, columns)

    prompts = {}
    with torch.no_grad():
        for prompt, words in PROMPTS.items():
            prompts[f"{prompt}.pooled"] = pipeline._get_clip_prompt_embeds(words, 1, "cpu")
            if with_t5:
                prompts[f"{prompt}.states"] = pipeline._get_t5_prompt_embeds(words, 1, 512, "cpu")[:, :20]
        diva = pipeline._get_clip_prompt_embeds("a photo of a .", 1, "cpu")
    inputs, expected = numbers(velocity, width, diva, pipeline.vae, scheduler, rng.choice([5, 7]))
    finish(folder, name, inputs, {**expected, **prompts})


def sd3(name, twice, norm, with_t5):
    folder = OUT / name
    tokenizers = [clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), clip_tokenizer(folder / "tokenizer_2", "!")]
    third = t5_tokenizer()
    width = 16 * SCALE
    clips = [clip_text(len(tokenizers[0]), width, CLIPTextModelWithProjection) for width in (6, 8)]
    pooled = sum(clip.config.projection_dim for clip in clips)
    transformer = SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=CHANNELS, num_layers=2, attention_head_dim=6 * SCALE, num_attention_heads=2,
        joint_attention_dim=width, caption_projection_dim=12 * SCALE, pooled_projection_dim=pooled, out_channels=CHANNELS,
        pos_embed_max_size=rng.choice([16, 17]), dual_attention_layers=twice, qk_norm=norm)
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0), vae=autoencoder(), text_encoder=clips[0],
        tokenizer=tokenizers[0], text_encoder_2=clips[1], tokenizer_2=tokenizers[1], text_encoder_3=t5(len(third), width) if with_t5 else None,
        tokenizer_3=third if with_t5 else None)
    livelier(*(part.eval() for part in pipeline.components.values() if isinstance(part, torch.nn.Module)))
    pipeline.to(torch.float16).save_pretrained(folder)
    pipeline.to(torch.float32)
    pipeline.transformer.requires_grad_(False)

    def velocity(zt, levels, states, vector):
        return pipeline.transformer(
            hidden_states=zt, timestep=1000 * levels, encoder_hidden_states=states, pooled_projections=vector, return_dict=False)[0]

    def encode(words):
        states, _, vector, _ = pipeline.encode_prompt(words, words, words, device="cpu", do_classifier_free_guidance=False)
        return states, vector

    prompts = {}
    with torch.no_grad():
        for prompt, words in PROMPTS.items():
            states, prompts[f"{prompt}.pooled"] = encode(words)
            prompts[f"{prompt}.states"] = states[:, :86]  # those of CLIP, and of T5 the first
        diva = encode("a photo of a .")[1]
    inputs, expected = numbers(velocity, width, diva, pipeline.vae, pipeline.scheduler, rng.choice([5, 7]))
    finish(folder, name, inputs, {**expected, **prompts})


if __name__ == "__main__":
    flux("flux1-dev", True, True, FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True))
    flux("flux1-schnell", False, False, FlowMatchEulerDiscreteScheduler(shift=rng.choice([1.0, 2.0])))
    sd3("sd35-medium", rng.choice([(0,), (0, 1)]), "rms_norm", True)
    sd3("sd3-medium", (), None, False)
