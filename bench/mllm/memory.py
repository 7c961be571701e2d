"""Peak memory of one answer of two tokens by a whole 7B in bf16, transformers and diva in turn: MODEL DIVA... (see memory.sh)"""
import os
import subprocess
import sys
from pathlib import Path

model, diva = sys.argv[1], sys.argv[2:]
picture = Path(model) / "picture.png"
prompt = "USER: <image>\nWhat is this? ASSISTANT:"


def transformers():
    import torch
    from PIL import Image
    from transformers import LlavaForConditionalGeneration, LlavaProcessor

    llava = LlavaForConditionalGeneration.from_pretrained(model, torch_dtype=torch.bfloat16, low_cpu_mem_usage=True).eval()
    given = LlavaProcessor.from_pretrained(model)(images=Image.open(picture), text=prompt, return_tensors="pt").to(torch.bfloat16)
    llava.generate(**given, do_sample=False, max_new_tokens=2)


def peak(command):
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command}: failed with {status}")
    return usage.ru_maxrss / 2**20


if not diva:
    transformers()
else:
    if not picture.exists():
        from PIL import Image

        Image.effect_noise((56, 56), 80).convert("RGB").save(picture)
    theirs = peak([sys.executable, __file__, model])
    ours = peak(diva + ["mllm", "ask", "--llava", model, "--image", str(picture), "--prompt", prompt, "--precision", "bf16", "--max-new-tokens", "2"])
    print(f"7B in bf16, peak: transformers {theirs:.2f} GiB, diva {ours:.2f} GiB, share {ours / theirs:.2f}")
