#!/bin/sh
# sentence-transformers 6.2.0 loads a SigLIP of transformers and gives its texts other embeddings than transformers does, and other ones for the
# same text beside a longer neighbour. SigLIP's text tower has no mask and pools the last of its 64 positions, so it is only right for texts
# padded to full length; sentence-transformers pads every batch to its longest text (it makes an exception for Whisper alone).
# Seen (small random SigLIP with a SentencePiece tokenizer): images agree to rounding; one caption alone, and next to a longer one, is neither what
# transformers gives nor itself again. Setting processing_kwargs to pad to full length brings the right numbers back.
# Costs: text search and zero-shot scores of SigLIP checkpoints drop without an error and change with the batch size.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 torchvision==0.25.0 transformers==5.24.0 sentence-transformers==6.2.0 sentencepiece==0.2.3 \
    protobuf==7.36.2 pillow==13.0.0 numpy==2.3.5
cd "$work"
HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 TRANSFORMERS_VERBOSITY=error TQDM_DISABLE=1 env/bin/python - <<'PYTHON'
import numpy as np
import sentence_transformers
import sentencepiece
import torch
import transformers
from PIL import Image
from sentence_transformers import SentenceTransformer
from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor, SiglipTokenizer

caption, longer = "a photo of a cat", "two dogs running over a wide green field in the early morning light"
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter([caption, longer] * 50), model_prefix="pieces", vocab_size=80, hard_vocab_limit=False,
    pad_id=-1, bos_id=-1, unk_id=0, eos_id=1, minloglevel=2)
tokenizer = SiglipTokenizer("pieces.model", pad_token="</s>", model_max_length=64, model_input_names=["input_ids"])
size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
text = size | {"vocab_size": len(tokenizer), "max_position_embeddings": 64, "projection_size": 32}
torch.manual_seed(0)
model = SiglipModel(SiglipConfig(text_config=text, vision_config=size | {"image_size": 32, "patch_size": 8})).eval()
processor = SiglipProcessor(SiglipImageProcessor(size={"height": 32, "width": 32}), tokenizer)
model.save_pretrained("siglip")
processor.save_pretrained("siglip")


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def right(call, **inputs):
    with torch.no_grad():
        return call(**inputs).pooler_output[0].numpy()


image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
image_right = right(model.get_image_features, **processor(images=image, return_tensors="pt"))
text_right = right(model.get_text_features, **processor(text=[caption], padding="max_length", return_tensors="pt"))
encoder = SentenceTransformer("siglip", device="cpu")
same_image = cosine(encoder.encode([image])[0], image_right)
alone, beside = encoder.encode([caption])[0], encoder.encode([caption, longer])[0]
print("sentence-transformers", sentence_transformers.__version__, "transformers", transformers.__version__)
print(f"cosine with transformers: image {same_image:.6f}, caption alone {cosine(alone, text_right):.3f}, beside a longer one", end=" ")
print(f"{cosine(beside, text_right):.3f}; the two with each other {cosine(alone, beside):.3f}")
encoder[0].processing_kwargs = {"text": {"padding": "max_length"}}
padded = cosine(encoder.encode([caption])[0], text_right)
print(f"padded to full length {padded:.6f}")
assert same_image > 0.99999 and padded > 0.99999
assert max(cosine(alone, text_right), cosine(beside, text_right), cosine(alone, beside)) < 0.95
PYTHON
