"""Texts to encode, one a line: 'imagenet' = 80 templates x 1,000 classes in the order of the scores, 'captions' = sentences of 8 to 16 words with few common beginnings."""
import random
import sys

import open_clip

kind, path = sys.argv[1:]
if kind == "imagenet":
    lines = [template(name) for template in open_clip.OPENAI_IMAGENET_TEMPLATES for name in open_clip.IMAGENET_CLASSNAMES]
else:
    draw = random.Random(1)
    words = sorted({word for name in open_clip.IMAGENET_CLASSNAMES for word in name.split() if word.isalpha()})
    lines = []
    for _ in range(25_000):
        count = round(min(16, max(8, draw.gauss(10.5, 1.5))))
        lines.append(draw.choice(["a ", "the ", "two ", "some ", ""]) + " ".join(draw.choices(words, k=count - 1)))
with open(path, "w") as file:
    file.write("\n".join(lines) + "\n")
