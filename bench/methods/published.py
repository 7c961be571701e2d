"""Steps of the published stage 2: published.py genhancer|dcr CHECKOUT MODELS PRECISION BATCH STEPS. Prints the seconds of each as JSON."""
import json, sys, time
from types import SimpleNamespace as Names
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms
from transformers import CLIPModel
from authors import loss_statements, package

method, checkout, models, precision, batch, steps = *sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6])
dtype = dict(fp32=torch.float32, bf16=torch.bfloat16)[precision]
root = checkout + ("/Continuous" if method == "genhancer" else "")
bank = package(root, "clip_models.CLIP_bank")
sys.path.insert(0, root)
import clip_models.sampling as sampling
bank.CLIPModel = Names(from_pretrained=lambda path: CLIPModel.from_pretrained(models + "/clip", torch_dtype=torch.float32))
normalise = transforms.Normalize
space = dict(torch=torch, F=F, rearrange=rearrange, prepare_clip=sampling.prepare_clip, weight_dtype=dtype, accelerator=Names(device=torch.device("cpu")), args=Names(scale_factor=1.0),
             NORMALIZE_VAE=normalise([0.5] * 3, [0.5] * 3), NORMALIZE_CLIP=normalise([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]))
if method == "genhancer":
    from src.flux.model import Flux, FluxParams
    from src.flux.modules.autoencoder import AutoEncoder, AutoEncoderParams
    dit = Flux(FluxParams(**json.load(open(models + "/stage1/denoiser.json")))); dit.load_state_dict(load_file(models + "/stage1/denoiser.safetensors"))
    vae = AutoEncoder(AutoEncoderParams(**json.load(open(models + "/ae.json")))); vae.load_state_dict(load_file(models + "/ae.safetensors"))
    clip = bank.OpenAICLIP(Names(clip_image_size=224, clip_dim=768, t5_dim=4096))
    space |= dict(vae=vae.requires_grad_(False), dit=dit.to(dtype).requires_grad_(False))
    script = root + "/train_OpenAICLIP_stage2_only.py"
else:
    import src.stable_diffusion.build_SD as build
    from diffusers import DDPMScheduler
    build._REPO_MAP["sd-2.1"] = models + "/sd"
    parts = build.build_sd_model("sd-2.1", torch.device("cpu"), dtype)
    context = parts["unet"].config.cross_attention_dim
    clip = bank.OpenAICLIP(Names(clip_image_size=224, clip_dim=context, sd_model_name="sd-2.1"))
    space |= dict(vae=parts["vae"].requires_grad_(False), unet=parts["unet"].requires_grad_(False),
                  noise_scheduler=DDPMScheduler(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"))
    script = root + "/train_OpenAICLIP_stage2.py"
clip.model = get_peft_model(clip.model, LoraConfig(r=16, lora_alpha=16, target_modules="all-linear", lora_dropout=0.1, bias="lora_only"))
for name, parameter in clip.named_parameters():
    if "project_clip" in name or "project_t5" in name or name.startswith("sd_text_encoder"): parameter.requires_grad_(False)
clip.to(dtype).train()
space["clip_vis"] = clip
learns = [p for p in clip.parameters() if p.requires_grad]
masters = [p.detach().float().requires_grad_(True) for p in learns]
optimizer = torch.optim.AdamW(masters, lr=1e-5, weight_decay=0.01)
statements = loss_statements(script)
images = torch.stack([torch.from_numpy(np.array(Image.open(f"{models}/images/{k:02}.png"))).permute(2, 0, 1).float() / 255 for k in range(16)])
seconds = []
for step in range(steps):
    begun = time.time()
    space["batch"] = dict(image=images[torch.arange(step * batch, (step + 1) * batch) % 16], text=[""] * batch)
    exec(statements, space)
    space["loss"].backward()
    for master, parameter in zip(masters, learns): master.grad = None if parameter.grad is None else parameter.grad.float()
    torch.nn.utils.clip_grad_norm_(masters, 1.0)
    optimizer.step()
    with torch.no_grad():
        for master, parameter in zip(masters, learns): parameter.copy_(master); parameter.grad = None
    for name in ("loss", "model_pred", "model_pred_plus", "inp"): space.pop(name, None)
    seconds.append(time.time() - begun)
print(json.dumps(seconds))
