"""Models of true width with random weights, as deep as asked: make.py FOLDER GENHANCER_CHECKOUT TOWER_LAYERS DOUBLE SINGLE UNET_LAYERS TINY"""
import json, os, sys
import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel
from authors import package

folder, checkout = sys.argv[1:3]
layers, double, single, unet_layers, tiny = map(int, sys.argv[3:8])
torch.manual_seed(0)
os.makedirs(folder + "/images", exist_ok=True)
vocabulary = os.environ["VOCABULARY"]  # a folder with vocab.json and merges.txt of CLIP


def copied(names, target):
    os.makedirs(target, exist_ok=True)
    for name in names:
        with open(os.path.join(vocabulary, name), "rb") as a, open(os.path.join(target, name), "wb") as b: b.write(a.read())


width, heads, mlp = (64, 4, 128) if tiny else (1024, 16, 4096)
text = dict(hidden_size=64, num_attention_heads=2, num_hidden_layers=1, intermediate_size=64, vocab_size=49408)
clip = CLIPModel(CLIPConfig(projection_dim=768, text_config=text, vision_config=dict(
    hidden_size=width, num_attention_heads=heads, num_hidden_layers=layers, intermediate_size=mlp, patch_size=14, image_size=224)))
clip.half().save_pretrained(folder + "/clip")
copied(["vocab.json", "merges.txt"], folder + "/clip")

# DCR: Stable Diffusion 2.1-base
sd = folder + "/sd"
channels = (32, 64, 64, 64) if tiny else (320, 640, 1280, 1280)
context = 64 if tiny else 1024
UNet2DConditionModel(sample_size=64, cross_attention_dim=context, use_linear_projection=True, layers_per_block=unet_layers, block_out_channels=channels,
                     attention_head_dim=[c // (32 if tiny else 64) for c in channels]).half().save_pretrained(sd + "/unet")
vae = dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, block_out_channels=(32, 32, 64, 64) if tiny else (128, 256, 512, 512), layers_per_block=2)
AutoencoderKL(latent_channels=4, sample_size=768, **vae).half().save_pretrained(sd + "/vae")
DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, clip_sample=False).save_pretrained(sd + "/scheduler")
CLIPTextModel(CLIPTextConfig(hidden_size=context, num_attention_heads=context // 64, num_hidden_layers=1, intermediate_size=context, vocab_size=49408, bos_token_id=49406, eos_token_id=49407)).half().save_pretrained(sd + "/text_encoder")
copied(["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"], sd + "/tokenizer")


def projector(name, out):
    p = torch.nn.Sequential(torch.nn.LayerNorm(768), torch.nn.Linear(768, out), torch.nn.GELU(), torch.nn.Linear(out, out))
    return {f"{name}.{k}": v.contiguous() for k, v in p.state_dict().items()}


save_file(projector("project_clip", context), folder + "/dcr-projector.safetensors")

# GenHancer: the authors' denoiser, FLUX.1's autoencoder
hidden, count = (64, 2) if tiny else (3072, 24)
head = hidden // count
side = 7 * head // 32 * 2
shape = dict(in_channels=64, vec_in_dim=768, context_in_dim=4096, hidden_size=hidden, mlp_ratio=4.0, num_heads=count, depth=double, depth_single_blocks=single,
             axes_dim=[head - 2 * side, side, side], theta=10000, qkv_bias=True, guidance_embed=True)
flux = package(checkout + "/Continuous", "src.flux.model")
os.makedirs(folder + "/stage1", exist_ok=True)
save_file({k: v.contiguous() for k, v in flux.Flux(flux.FluxParams(**shape)).state_dict().items()}, folder + "/stage1/denoiser.safetensors")
json.dump(shape, open(folder + "/stage1/denoiser.json", "w"))
save_file(projector("project_clip", 768) | projector("project_t5", 4096), folder + "/stage1/projectors.safetensors")
ae = package(checkout + "/Continuous", "src.flux.modules.autoencoder")
parameters = dict(resolution=256, in_channels=3, ch=32 if tiny else 128, out_ch=3, ch_mult=[1, 2, 4, 4], num_res_blocks=2, z_channels=16, scale_factor=0.3611, shift_factor=0.1159)
save_file({k: v.contiguous() for k, v in ae.AutoEncoder(ae.AutoEncoderParams(**parameters)).state_dict().items()}, folder + "/ae.safetensors")
json.dump(parameters, open(folder + "/ae.json", "w"))
for k in range(16):
    Image.fromarray(np.random.default_rng(k).integers(0, 256, (224, 224, 3), dtype=np.uint8)).save(f"{folder}/images/{k:02}.png")
