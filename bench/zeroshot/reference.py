"""Zero-shot classification by CLIP_benchmark's own loader and metrics with a model of open_clip: one JSON line.

    python reference.py --clip FOLDER --data FOLDER [--precision fp32] [--split test] [--batch 64] [--workers 4]

FOLDER of the model holds open_clip_config.json and open_clip_model.safetensors; that of the data is in CLIP_benchmark's webdataset
layout. Needs torch, open_clip_torch, clip-benchmark, webdataset, safetensors and numpy below 2.4, with
which clip-benchmark 1.6.2 fails (findings/clip-benchmark-numpy-2.4.sh).
"""
import argparse, contextlib, json, os, resource, sys, time

START = time.time()


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--clip", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    p.add_argument("--split", default="test")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--workers", type=int, default=4)
    return p.parse_args()


def load(folder):
    import open_clip
    from open_clip.model import CLIP
    from open_clip.transform import image_transform
    from safetensors.torch import load_file

    with open(os.path.join(folder, "open_clip_config.json"), encoding="utf-8") as f:
        config = json.load(f)
    model = CLIP(**config["model_cfg"])
    model.load_state_dict(load_file(os.path.join(folder, "open_clip_model.safetensors")))
    pixels = config["preprocess_cfg"]
    transform = image_transform(model.visual.image_size, is_train=False, mean=tuple(pixels["mean"]), std=tuple(pixels["std"]))
    context = config["model_cfg"]["text_cfg"]["context_length"]
    return model.float().eval(), transform, lambda texts: open_clip.tokenize(texts, context_length=context)


def main():
    args = arguments()
    import torch
    from clip_benchmark.datasets.builder import build_dataset
    from clip_benchmark.metrics import zeroshot_classification

    imported = time.time()
    model, transform, tokenizer = load(args.clip)
    data = build_dataset("wds/local", root=args.data, transform=transform, split=args.split, download=False)
    with open(os.path.join(args.data, args.split, "nshards.txt"), encoding="utf-8") as f:
        workers = min(args.workers, int(f.read()))  # a worker without a shard is an error of webdataset
    loader = torch.utils.data.DataLoader(data.batched(args.batch), batch_size=None, shuffle=False, num_workers=workers)
    half = torch.autocast("cpu", dtype=torch.bfloat16) if args.precision == "bf16" else contextlib.nullcontext()
    with half, contextlib.redirect_stdout(sys.stderr):
        metrics = zeroshot_classification.evaluate(
            model, loader, tokenizer, data.classes, data.templates, "cpu", amp=False)
    print(json.dumps({
        "metrics": {name: float(metrics[name]) for name in ("acc1", "acc5", "mean_per_class_recall")},
        "secondsAfterImports": time.time() - imported,
        "seconds": time.time() - START,
        "threads": torch.get_num_threads(),
        "peakGiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
