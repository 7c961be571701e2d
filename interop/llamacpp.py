"""Lets llama.cpp look at a picture through what `diva export --llava DIR --to gguf` wrote and compares the image tokens with those of
transformers; with the language model also the answer.

    python llamacpp.py DIR mmproj.gguf [language.gguf "USER: <image>\\nWhat is it? ASSISTANT:"]

DIR is in the hub's layout; language.gguf is what llama.cpp's own convert_hf_to_gguf.py makes of DIR. Needs llama-cpp-python 0.3.36 (llama.cpp of
1 October 2026), numpy, transformers 4.46 or 5. llama.cpp since May 2025 puts the class token behind the patches and still counts it as the first
(its issue 25814): the script says which order it met, and computes that one in torch too.
"""
import ctypes
import sys
from pathlib import Path

import llama_cpp as ll
import numpy as np
import torch
from llama_cpp import mtmd_cpp as mtmd
from transformers import CLIPImageProcessor, LlavaForConditionalGeneration

folder, file = Path(sys.argv[1]), sys.argv[2]
language, prompt = sys.argv[3:5] or ("", "<image>")
prompt = prompt.replace("\\n", "\n")
model = LlavaForConditionalGeneration.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager").eval()
size = model.config.vision_config.image_size
picture = np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)  # neither resized nor padded by anyone


@torch.no_grad()
def image_tokens(class_first):
    """Features of the layer that is looked at, projected: transformers' if the class token comes first, else llama.cpp's of today."""
    vision = getattr(model, "vision_tower", None) or model.model.vision_tower
    vision = getattr(vision, "vision_model", vision)
    project = getattr(model, "multi_modal_projector", None) or model.model.multi_modal_projector
    pixels = CLIPImageProcessor.from_pretrained(folder)(images=[picture], return_tensors="pt")["pixel_values"]
    look = model.config.vision_feature_layer
    if class_first:
        return project(vision(pixels, output_hidden_states=True).hidden_states[look][:, 1:])[0].numpy()
    parts = vision.embeddings
    x = torch.cat([parts.patch_embedding(pixels).flatten(2).transpose(1, 2), parts.class_embedding.expand(1, 1, -1)], 1)
    x = vision.pre_layrnorm(x + parts.position_embedding.weight)
    for layer in vision.encoder.layers[: look if look >= 0 else len(vision.encoder.layers) + 1 + look]:
        x = layer(x, None, None)
        x = x if isinstance(x, torch.Tensor) else x[0]
    return project(x[:, 1:])[0].numpy()


class LlamaCpp:
    """The two files in llama.cpp, without flash attention, which rounds keys and values to fp16."""

    def __init__(self):
        self.silent = ll.llama_log_callback(lambda *_: None)
        for log_set in ll.llama_log_set, mtmd.mtmd_log_set, mtmd.mtmd_helper_log_set:
            log_set(self.silent, ctypes.c_void_p())
        self.model = ll.llama_model_load_from_file(language.encode(), ll.llama_model_default_params()) if language else None
        settings = mtmd.mtmd_context_params_default()
        settings.use_gpu, settings.print_timings, settings.n_threads, settings.flash_attn_type = False, False, 1, 0
        self.eyes = mtmd.mtmd_init_from_file(file.encode(), self.model, settings)
        assert self.eyes, f"llama.cpp does not read {file}"
        text = prompt.replace("<image>", mtmd.mtmd_default_marker().decode()).encode()
        bitmap = mtmd.mtmd_bitmap_init(size, size, (ctypes.c_uint8 * picture.size)(*picture.flatten()))
        self.chunks = mtmd.mtmd_input_chunks_init()
        failed = mtmd.mtmd_tokenize(
            self.eyes, self.chunks, mtmd.mtmd_input_text(text, len(text), True, True), (ctypes.c_void_p * 1)(bitmap), 1)
        assert not failed, "the prompt needs <image> once"
        self.parts = [mtmd.mtmd_input_chunks_get(self.chunks, i) for i in range(mtmd.mtmd_input_chunks_size(self.chunks))]

    def image_tokens(self):
        image = next(part for part in self.parts if mtmd.mtmd_input_chunk_get_type(part) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE)
        assert mtmd.mtmd_encode_chunk(self.eyes, image) == 0
        shape = mtmd.mtmd_input_chunk_get_n_tokens(image), model.config.text_config.hidden_size
        return np.ctypeslib.as_array(mtmd.mtmd_get_output_embd(self.eyes), shape).copy()

    def texts(self):
        """Tokens in front of the image and behind it."""
        found, count = [[], []], ctypes.c_size_t()
        for part in self.parts:
            tokens = mtmd.mtmd_input_chunk_get_tokens_text(part, ctypes.byref(count))
            if mtmd.mtmd_input_chunk_get_type(part) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
                found[part != self.parts[0]] += tokens[: count.value]
        return found

    def answer(self, length):
        settings = ll.llama_context_default_params()
        settings.n_ctx, settings.flash_attn_type = 2048, 0
        context, past = ll.llama_init_from_model(self.model, settings), ll.llama_pos(0)
        assert mtmd.mtmd_helper_eval_chunks(self.eyes, context, self.chunks, 0, 0, 512, True, ctypes.byref(past)) == 0
        tokens = []
        while len(tokens) < length:
            tokens.append(int(np.argmax(ll.llama_get_logits_ith(context, -1)[: model.config.text_config.vocab_size])))
            ll.llama_decode(context, ll.llama_batch_get_one((ll.llama_token * 1)(tokens[-1]), 1))
        return tokens


@torch.no_grad()
def answer(texts, image, length):
    """transformers' greedy tokens behind the same tokens."""
    embed = model.get_input_embeddings()
    before, after = (embed(torch.tensor([tokens], dtype=torch.long)) for tokens in texts)
    state, tokens = torch.cat([before, torch.from_numpy(image)[None], after], 1), []
    llama = model.language_model if hasattr(model, "language_model") else model.model.language_model
    while len(tokens) < length:
        out = llama(inputs_embeds=state)
        logits = out.logits if hasattr(out, "logits") else model.lm_head(out.last_hidden_state)
        tokens.append(logits[0, -1].argmax().item())
        state = torch.cat([state, embed(torch.tensor([[tokens[-1]]]))], 1)
    return tokens


llamacpp = LlamaCpp()
actual = llamacpp.image_tokens()
expected = {first: image_tokens(first) for first in (True, False)}
off = {first: float(np.abs(actual - rows).max() / np.abs(rows).max()) for first, rows in expected.items()}
first = off[True] < off[False]
print(f"{file}: {len(actual)} image tokens of {actual.shape[1]}; largest difference to transformers {off[True]:.1e} of the largest value,"
      f" with the class token behind the patches {off[False]:.1e}")
print("the class token is first, as in transformers" if first else "this llama.cpp puts the class token last")
assert off[first] < 2e-3, "llama.cpp computes something else"
if language:
    mine, theirs = answer(llamacpp.texts(), expected[first], 16), llamacpp.answer(16)
    print(f"answer: {theirs}" + ("" if theirs == mine else f", torch: {mine}"))
    print(f"transformers' answer is {'the same' if theirs == answer(llamacpp.texts(), expected[True], 16) else 'another'}")
    assert theirs == mine
