"""The authors' code: original.py eval FOLDER PRECISION REPEATS OUT, or original.py train FOLDER PRECISION STEPS. Prints seconds and peak memory as JSON."""
import json, os, sys, time

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from authors import load

does, folder, precision, times = *sys.argv[1:4], int(sys.argv[4])
torch.set_num_threads(int(os.environ["THREADS"]))
half = lambda: torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
cfg, model = load(folder)


def raster(path): return torch.from_numpy(np.array(Image.open(f"{folder}/data/coco/{path}")))


def picture(k): return raster(f"train2017/{k}.png").permute(2, 0, 1).contiguous()


def peak():
    """Bytes held at most since the weights were there."""
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def evaluate():
    model.eval()
    image = picture(0)
    given = [{"image": image, "height": image.shape[1], "width": image.shape[2], "vocabulary": [f"thing {k}" for k in range(150)]}]
    with torch.no_grad(), half():
        labels = lambda: model(given)[0]["sem_seg"].argmax(0)
        seconds = [timed(labels) for _ in range(times + 1)][1:]
        most = peak()
        seen = {}
        semantic = model.semantic_inference
        model.semantic_inference = lambda classes, masks: (seen.update(classes=classes), semantic(classes, masks))[1]
        model.side_adapter_network.register_forward_hook(lambda module, x, out: seen.update(masks=out[0][-1][0]))
        seen["labels"] = labels().to(torch.int32)
    save_file({name: value.contiguous() if name == "labels" else value.float().contiguous() for name, value in seen.items()}, sys.argv[5])
    return seconds, most


def train():
    import train_net
    from detectron2.structures import Instances
    model.train()
    optimizer = train_net.Trainer.build_optimizer(cfg, model)
    seconds = []
    for k in range(times):
        label = raster(f"stuffthingmaps_detectron2/train2017/{k % 8}.png")
        targets = Instances(tuple(label.shape))
        targets.gt_classes = label.unique().long()
        targets.gt_masks = torch.stack([label == c for c in targets.gt_classes])
        batch = [{"image": picture(k % 8), "instances": targets, "vocabulary": [f"thing {c}" for c in range(171)]}]

        def step():
            with half(): loss = sum(model(batch).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        seconds.append(timed(step))
    return seconds[1:] or seconds, peak()


open("/proc/self/clear_refs", "w").write("5")  # the peak is counted anew
seconds, most = dict(eval=evaluate, train=train)[does]()
print(json.dumps(dict(seconds=seconds, peak=most)))
