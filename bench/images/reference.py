"""The same with Pillow and torchvision: reference.py FOLDER ROUNDS."""
import glob, io, json, sys, time

import torch
from PIL import Image
from torchvision import transforms

torch.set_num_threads(1)
files = sorted(f for f in glob.glob(sys.argv[1] + "/**", recursive=True) if f.lower().endswith((".jpg", ".jpeg", ".png", ".webp")))
crop = transforms.RandomResizedCrop(512, scale=(0.9, 1.0), interpolation=transforms.InterpolationMode.BICUBIC)
best = float("inf")
for _ in range(int(sys.argv[2])):
    start = time.thread_time()
    for file in files:
        with open(file, "rb") as f:
            crop(Image.open(io.BytesIO(f.read())).convert("RGB"))
    best = min(best, (time.thread_time() - start) * 1e3 / len(files))
print(json.dumps({"who": "Pillow + torchvision", "images": len(files), "millis": round(best, 2)}))
