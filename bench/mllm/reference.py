"""The same work as MllmBench by transformers: MODEL fp32|bf16 THREADS IMAGES REPEATS TOKENS ANSWERS_FILE."""
import json
import sys
import time

import numpy as np
import torch
from transformers import DynamicCache, LlavaForConditionalGeneration, LlavaProcessor

folder, precision = sys.argv[1:3]
threads, images, repeats, tokens = map(int, sys.argv[3:7])
torch.set_num_threads(threads)
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
model = LlavaForConditionalGeneration.from_pretrained(folder, torch_dtype=dtype).eval()
processor = LlavaProcessor.from_pretrained(folder)
system = ("A chat between a curious user and an artificial intelligence assistant. "
          "The assistant gives helpful, detailed, and polite answers to the user's questions. ")


def picture(index):
    side = model.config.vision_config.image_size
    i = np.arange(side * side * 3, dtype=np.int64)
    return ((i * 977 * (index + 1)) // 64 % 256).astype(np.uint8).reshape(side, side, 3)


def prompt(question):
    return f"{system}USER: <image>\nIs there a {question} in the image?\nAnswer the question using a single word or phrase. ASSISTANT:"


def median(work):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[repeats // 2]


with torch.inference_mode():
    def ask(image, question):
        given = processor(images=image, text=prompt(question), return_tensors="pt")
        given = {name: value.to(dtype) if value.is_floating_point() else value for name, value in given.items()}
        out = model.generate(**given, do_sample=False, max_new_tokens=tokens,
                             eos_token_id=processor.tokenizer.eos_token_id)
        return out[0, given["input_ids"].shape[1]:].tolist()

    ask(picture(0), "dog")
    with open(sys.argv[7], "w") as answers:
        start = time.perf_counter()
        for index in range(images):
            for question in range(18):
                answers.write(" ".join(map(str, ask(picture(index), f"thing {question}"))) + "\n")
        pope = (time.perf_counter() - start) / (18 * images)
    language = model.language_model
    embeds = torch.randn(1, 600, language.config.hidden_size, generator=torch.Generator().manual_seed(1)).to(dtype)
    run = lambda: language(inputs_embeds=embeds, past_key_values=DynamicCache(), use_cache=True, num_logits_to_keep=1)
    past = run().past_key_values
    prefill = median(run)

    def decode():
        language(inputs_embeds=embeds[:, :1], past_key_values=past, use_cache=True)
        past.crop(600)

    decode()
    token = median(lambda: [decode() for _ in range(8)]) / 8
print(json.dumps({"who": "transformers", "precision": precision, "secondsPerQuestion": pope, "prefillSeconds": prefill, "tokenSeconds": token}))
