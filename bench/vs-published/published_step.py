"""The published training step on this machine: the authors' own SDModel, unmodified, with model folders of true size.

    python published_step.py --repo DIVA --clip CLIP.pt --diffusion FOLDER --image FILE [--precision bf16] [--batch 1] [--steps 3] [--seed 42]

DIVA is a checkout of baaivision/DIVA; CLIP.pt is a state dict in OpenAI's layout (diva export --to openai). Needs torch, torchvision,
diffusers, transformers, openai-clip, open_clip_torch, einops and omegaconf. Prints one JSON line a step and one at the end.

Outside the authors' files: .cuda() does nothing (but with --device cuda), xformers is off (it has no CPU kernels), and the resize to the tower's size is not
antialiased, which is what the torchvision they pin does. No data loader: every step sees the same image.
"""
import argparse, importlib, importlib.util, json, os, resource, sys, tempfile, time

START = time.time()


def arguments():
    p = argparse.ArgumentParser()
    for name in ("repo", "clip", "diffusion", "image"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--projection", help="safetensors with weight and bias of the projection; drawn with torch's default when left out")
    return p.parse_args()


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def build(a):
    import clip, torch
    from torchvision import transforms
    from diffusers import StableDiffusionPipeline
    if a.device == "cpu":
        torch.Tensor.cuda = lambda self, *args, **kw: self
        torch.nn.Module.cuda = lambda self, *args, **kw: self
    StableDiffusionPipeline.enable_xformers_memory_efficient_attention = lambda self, *args, **kw: None
    sys.path.insert(0, os.path.abspath(a.repo))
    towers = module("towers", os.path.join(a.repo, "condition/OpenAICLIP_for_clip_model.py"))
    tower = towers.build_model({k: v.float() for k, v in torch.load(a.clip).items()}).float()
    clip.load = lambda *args, **kw: (tower, None)
    from config import SDConfig
    c = SDConfig()
    c.tta.gradient_descent.train_steps, c.visual_pattern, c.clip_image_size = 2, "None", 224
    here, fake = os.getcwd(), tempfile.mkdtemp()
    os.makedirs(fake + "/pretrained_weights/SD")
    os.symlink(os.path.abspath(a.diffusion), fake + "/pretrained_weights/SD/stable-diffusion-2-1-base")
    repo_image, projection = os.path.abspath(a.image), a.projection and os.path.abspath(a.projection)
    os.chdir(fake)
    with open(os.devnull, "w") as quiet:
        out, sys.stdout = sys.stdout, quiet
        model = importlib.import_module("models.SD_with_OpenAICLIP").SDModel(c)
        sys.stdout = out
    os.chdir(here)
    if projection:
        from safetensors.torch import load_file
        model.visual_proj.load_state_dict(load_file(projection))
    model.resize_transform_discrimi = transforms.Resize((224, 224), antialias=False)
    return model, picture(repo_image)


def picture(path):
    """As their data pipeline normalises it: OpenAI's mean and std over the whole 512 x 512 image."""
    from PIL import Image
    from torchvision import transforms
    t = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))])
    return t(Image.open(path).convert("RGB"))


def main():
    a = arguments()
    import torch
    torch.set_num_threads(os.cpu_count())
    model, image = build(a)
    model, image = model.to(a.device), image.to(a.device)
    on_gpu = a.device == "cuda"
    losses = []
    mse = torch.nn.functional.mse_loss
    def noted(x, y, *args, **kw):
        value = mse(x, y, *args, **kw)
        losses.append(value.item())
        return value
    torch.nn.functional.mse_loss = noted
    optimizer = torch.optim.SGD([p for n, p in model.named_parameters() if "final_fc" not in n], lr=1e-4, momentum=0.9)
    torch.manual_seed(a.seed)
    batch = image.unsqueeze(0).repeat(a.batch, 1, 1, 1)
    for step in range(a.steps):
        begin = time.time()
        losses.clear()
        with torch.autocast(a.device, torch.bfloat16, enabled=a.precision == "bf16"):
            loss = model(image=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.zero_grad()
        if on_gpu:
            torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"step": step, "losses": losses, "seconds": time.time() - begin, "sinceStart": time.time() - START,
                          "peakBytes": peak}), flush=True)


if __name__ == "__main__":
    main()
