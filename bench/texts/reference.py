"""The same texts by open_clip, every one padded to 77 tokens: MODEL fp32|bf16 THREADS BATCH TEXTS COUNT (the first COUNT, spread over the file)."""
import json
import sys
import time

import open_clip
import torch

model, precision, threads, batch, path, count = sys.argv[1:]
torch.set_num_threads(int(threads))
lines = open(path).read().splitlines()
lines = lines[:: max(1, len(lines) // int(count))][: int(count)]
clip = open_clip.create_model_from_pretrained("local-dir:" + model, precision=precision, return_transform=False).eval()
tokenizer = open_clip.get_tokenizer("local-dir:" + model)
with torch.inference_mode():
    encode = lambda texts: torch.nn.functional.normalize(clip.encode_text(tokenizer(texts)), dim=-1).float()
    encode(lines[: int(batch)])
    start = time.perf_counter()
    rows = [encode(lines[i : i + int(batch)]) for i in range(0, len(lines), int(batch))]
    seconds = time.perf_counter() - start
peak = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(json.dumps({"who": "open_clip", "precision": precision, "texts": len(lines), "textsPerSecond": round(len(lines) / seconds, 2),
                  "peakMiB": peak}))
