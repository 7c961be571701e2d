"""The same work as EncodeBench by transformers or open_clip: WHO MODEL fp32|bf16 THREADS BATCH REPEATS [DEVICE]."""
import json
import os
import sys
import time

import torch

who, model, precision = sys.argv[1:4]
threads, batch, repeats = map(int, sys.argv[4:7])
device = sys.argv[7] if len(sys.argv) > 7 else "cpu"
torch.set_num_threads(threads)
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]

if who == "transformers":
    from transformers import CLIPModel

    clip = CLIPModel.from_pretrained(model, torch_dtype=dtype).eval().to(device)
    encode = lambda pixels: clip.get_image_features(pixel_values=pixels)
    size = clip.config.vision_config.image_size
else:
    import open_clip

    clip = open_clip.create_model_from_pretrained("local-dir:" + model, precision=precision, return_transform=False).eval().to(device)
    encode = clip.encode_image
    size = clip.visual.image_size[0]

pixels = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(1)).to(dtype)
with torch.inference_mode():
    unit = lambda x: torch.nn.functional.normalize(encode(x.to(device)), dim=-1).float().cpu().numpy()
    unit(pixels[:1])
    first = time.time() - float(os.environ["BENCH_START"])
    unit(pixels)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        unit(pixels)
        seconds.append(time.perf_counter() - start)
seconds.sort()
peak = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(json.dumps({
    "who": who, "precision": precision, "firstSeconds": round(first, 2),
    "imagesPerSecond": round(batch / seconds[repeats // 2], 3), "slowest": round(batch / seconds[-1], 3),
    "fastest": round(batch / seconds[0], 3), "peakMiB": peak}))
