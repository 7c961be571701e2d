"""Runs the published step and diva in alternation and prints the ratios; see run.sh."""
import argparse, json, os, shutil, statistics, subprocess, sys, tempfile, time


def arguments():
    p = argparse.ArgumentParser()
    for name in ("diva", "published", "repo", "work"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--repeats", type=int, default=2)
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--check", type=int, default=1)
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: peaks are those of the allocators of tensors")
    p.add_argument("options", nargs="+", help="PRECISION-BATCH-LATENTS: fp32 or bf16; images; cached or crop")
    return p.parse_args()


def inputs(work):
    """A picture of colour gradients and noise, and a projection: the same for both."""
    import torch
    from PIL import Image
    from safetensors.torch import save_file
    folder, projection = work + "/picture", work + "/projection.safetensors"
    if not os.path.exists(projection):
        os.makedirs(folder, exist_ok=True)
        g = torch.Generator().manual_seed(1)
        coarse = torch.rand(1, 3, 16, 16, generator=g)
        image = torch.nn.functional.interpolate(coarse, size=512, mode="bicubic").clamp(0, 1) * 0.9 + 0.1 * torch.rand(1, 3, 512, 512, generator=g)
        Image.fromarray((image[0].permute(1, 2, 0) * 255).byte().numpy()).save(folder + "/picture.png")
        save_file({"weight": (torch.rand(1024, 768, generator=g) - 0.5) / 14, "bias": torch.zeros(1024)}, projection)
    return folder, projection


def watched(command, ready):
    """Seconds from the start until ready() says so, and the peak of resident memory in GB."""
    start, first = time.time(), None
    with tempfile.TemporaryFile("a+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            output.seek(0)
            text = output.read()
            if first is None and ready(text):
                first = time.time() - start
            if pid:
                break
            time.sleep(0.02)
    if status != 0:
        sys.exit("failed: " + " ".join(command) + "\n" + text[-2000:])
    return text, first, usage.ru_maxrss * 1024 / 1e9


def published(a, folder, projection, precision, batch, steps):
    command = [sys.executable, a.published, "--repo", a.repo, "--clip", a.work + "/vit-l-14-openai/model.pt", "--diffusion", a.work + "/sd21-base",
               "--image", folder + "/picture.png", "--projection", projection, "--precision", precision, "--batch", str(batch), "--steps", str(steps), "--device", a.device]
    text, first, peak = watched(command, lambda text: '"step": 0' in text)
    rows = [json.loads(line) for line in text.splitlines() if line.startswith('{"step"')]
    return {"seconds": [r["seconds"] for r in rows], "losses": rows[0]["losses"], "first": first,
            "peak": rows[-1]["peakBytes"] / 1e9 if a.device == "cuda" else peak}


def diva(a, folder, projection, precision, batch, steps, *options):
    run = a.work + "/run"
    shutil.rmtree(run, ignore_errors=True)
    metrics = run + "/metrics.jsonl"
    command = [a.diva, "train", "--clip", a.work + "/vit-l-14", "--diffusion", a.work + "/sd21-base", "--images", folder, "--out", run,
               "--weights-cache", a.work + "/weights-cache", *options]
    keys = {"projection.init": projection, "precision": precision, "train.batch": batch, "train.accumulate": 1, "train.steps": steps,
            "train.warmupSteps": 0, "checkpoint.every": 1000000, "device": a.device}
    for key, value in keys.items():
        command += ["--set", f"{key}={value}"]
    text, first, peak = watched(command, lambda text: os.path.exists(metrics) and os.path.getsize(metrics) > 0)
    rows = [json.loads(line) for line in open(metrics)]
    return {"seconds": [batch / r["imagesPerSecond"] for r in rows], "losses": rows[0]["losses"], "first": first,
            "peak": rows[-1]["gpuPeakBytes"] / 1e9 if a.device == "cuda" else peak}


def same_losses(a, folder, projection):
    """The published preset draws as the authors' code does: the losses of the first step must agree."""
    theirs = published(a, folder, projection, "fp32", 1, 1)["losses"]
    ours = diva(a, folder, projection, "fp32", 1, 1, "--preset", "published", "--seed", "42", "--set", "crop.scale=[1, 1]", "--set", "crop.ratio=[1, 1]")["losses"]
    difference = max(abs(x - y) / abs(y) for x, y in zip(ours, theirs))
    print(f"losses of the same draws, fp32: published {theirs}, diva {ours}, relative difference {difference:.1e}", flush=True)
    if len(ours) != len(theirs) or difference > 1e-3:
        sys.exit("the two do not compute the same")


def main():
    a = arguments()
    folder, projection = inputs(a.work)
    if a.check:
        same_losses(a, folder, projection)
    print(f"{'option':18}{'step s':>16}{'ratio':>7}{'peak GB':>14}{'share':>7}{'first step s':>16}{'ratio':>7}", flush=True)
    for option in a.options:
        precision, batch, latents = option.split("-")
        if latents not in ("cached", "crop"):
            sys.exit(f"{option}: latents are cached or crop")
        mode = ("--cache", a.work + "/cache", "--crops", "1") if latents == "cached" else ()
        diva(a, folder, projection, precision, int(batch), 1, *mode)  # fills both caches before the clock runs
        theirs, ours = [], []
        for _ in range(a.repeats):
            theirs.append(published(a, folder, projection, precision, int(batch), a.steps))
            ours.append(diva(a, folder, projection, precision, int(batch), a.steps, *mode))
        step = [statistics.median(s for r in rows for s in r["seconds"][1:] or r["seconds"]) for rows in (theirs, ours)]
        peak = [max(r["peak"] for r in rows) for rows in (theirs, ours)]
        first = [min(r["first"] for r in rows) for rows in (theirs, ours)]
        print(f"{option:18}{step[0]:8.2f}{step[1]:8.2f}{step[0] / step[1]:7.2f}{peak[0]:7.2f}{peak[1]:7.2f}{peak[1] / peak[0]:7.2f}"
              f"{first[0]:8.1f}{first[1]:8.1f}{first[0] / first[1]:7.2f}", flush=True)


if __name__ == "__main__":
    main()
