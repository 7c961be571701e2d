"""Golden cases of Sana: sana.py SEED SCALE CLIP OUT (SCALE 1, 2, ... makes larger models).

Writes OUT/sana (as Sana 1.0 is published: DPM-Solver with flow sigmas, strided convolutions and interpolation in the autoencoder) and OUT/sana15 (as 1.5:
normed queries and keys, flow matching by Euler; an autoencoder of pixel shuffles): tiny pipelines with random weights (fp16), what their encode_prompt
gives without its padding, the prediction under a padded and masked prompt, and all that rectified_flow.py writes. CLIP is the folder of the tower that is
trained, for instance the case clip-hf-vit. Made with torch 2.10, transformers 4.46.3, diffusers 0.35.2.
"""
import torch
from diffusers import AutoencoderDC, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, SanaPipeline, SanaTransformer2DModel
from rectified_flow import OUT, PROMPTS, SCALE, finish, livelier, numbers, rng
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import Gemma2Config, Gemma2Model, GemmaTokenizerFast

PROMPTS.update(words="  A photo of two red cats on a Table. ", cut="a red cat, " * 60)
MERGES = ["p h", "ph o", "pho t", "phot o", "▁ a", "▁ t", "o f", "c a", "ca t", "r e", "re d", "▁t w", "▁tw o"]


def gemma_tokenizer():
    """Pairs of letters and blanks merged, a beginning before every text, padding with 0."""
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "▁"] + list("abcdefghijklmnopqrstuvwxyz.,'") + [merge.replace(" ", "") for merge in MERGES]
    tokenizer = Tokenizer(models.BPE(
        {piece: i for i, piece in enumerate(pieces)}, [tuple(merge.split(" ")) for merge in MERGES], unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Replace("▁", " ")
    return GemmaTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>")


def gemma(ids):
    heads = 2 * rng.choice([1, 2])
    return Gemma2Model._from_config(Gemma2Config(
        vocab_size=ids, hidden_size=12 * SCALE, intermediate_size=20 * SCALE, num_hidden_layers=3, num_attention_heads=heads,
        num_key_value_heads=rng.choice([1, 2]), head_dim=6, query_pre_attn_scalar=rng.choice([5, 11]), attn_logit_softcapping=rng.choice([2.0, 5.0]),
        sliding_window=4096), attn_implementation="eager")


def autoencoder(shuffles):
    """With more pixels than a head is wide in a latent or fewer, which diffusers computes in two ways."""
    blocks = dict(
        block_types=("ResBlock", "ResBlock", "EfficientViTBlock"), block_out_channels=(4 * SCALE, 8 * SCALE, 8 * SCALE), layers_per_block=(1, 1, 2))
    kernels = ((), (), rng.choice([(3,), (5,)]))
    return AutoencoderDC(
        latent_channels=4, attention_head_dim=8 if shuffles else 4, scaling_factor=0.41407, downsample_block_type="pixel_unshuffle" if shuffles else "conv",
        upsample_block_type="pixel_shuffle" if shuffles else "interpolate", encoder_qkv_multiscales=kernels, decoder_qkv_multiscales=kernels,
        **{f"{half}_{key}": value for half in ("encoder", "decoder") for key, value in blocks.items()})


@torch.no_grad()
def sana(name, norm, scheduler, shuffles):
    folder = OUT / name
    tokenizer = gemma_tokenizer()
    text = gemma(len(tokenizer))
    heads, cross = rng.choice([(2, 3), (3, 2)])
    width = 24 * SCALE
    transformer = SanaTransformer2DModel(
        in_channels=4, out_channels=4, num_attention_heads=heads, attention_head_dim=width // heads, num_layers=2, num_cross_attention_heads=cross,
        cross_attention_head_dim=width // cross, cross_attention_dim=width, caption_channels=text.config.hidden_size, sample_size=8,
        patch_size=1, qk_norm=norm)
    pipeline = SanaPipeline(tokenizer=tokenizer, text_encoder=text, vae=autoencoder(shuffles), transformer=transformer, scheduler=scheduler)
    livelier(*(part.eval() for part in (pipeline.text_encoder, pipeline.vae, pipeline.transformer)))
    pipeline.text_encoder.embed_tokens.weight.mul_(20)
    for layer in pipeline.text_encoder.layers:  # so that the cap of the scores is felt
        layer.self_attn.q_proj.weight.mul_(20)
        layer.self_attn.k_proj.weight.mul_(20)
    pipeline.to(torch.float16).save_pretrained(folder)
    pipeline.text_encoder = Gemma2Model.from_pretrained(  # anew: its frequencies are no weights, and were rounded to fp16 with them
        folder / "text_encoder", attn_implementation="eager", torch_dtype=torch.float32).eval()
    pipeline.to(torch.float32)
    pipeline.transformer.requires_grad_(False)

    def velocity(zt, levels, states, vector, mask=None):
        return pipeline.transformer(
            hidden_states=zt, timestep=1000 * levels, encoder_hidden_states=states, encoder_attention_mask=mask, return_dict=False)[0]

    shift = scheduler.config.get("flow_shift", scheduler.config.get("shift"))
    with torch.enable_grad():
        inputs, expected = numbers(
            velocity, text.config.hidden_size, None, pipeline.vae, FlowMatchEulerDiscreteScheduler(shift=shift), rng.choice([5, 7]))
    expected["decoded"] = pipeline.vae.decode(expected["latent"] / pipeline.vae.config.scaling_factor).sample
    for prompt, words in PROMPTS.items():
        states, mask, _, _ = pipeline.encode_prompt(words, device="cpu", do_classifier_free_guidance=False)
        expected[f"{prompt}.states"] = states[:, :int(mask.sum())]
        batch = len(inputs["zt"])
        expected[f"{prompt}.prediction"] = velocity(
            inputs["zt"], inputs["levels"], states.repeat(batch, 1, 1), None, mask.repeat(batch, 1))
    finish(folder, name, inputs, expected)


if __name__ == "__main__":
    sana("sana", None, DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0), False)
    sana("sana15", "rms_norm_across_heads", FlowMatchEulerDiscreteScheduler(shift=rng.choice([2.0, 3.0])), True)
