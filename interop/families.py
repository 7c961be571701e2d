"""Golden cases of families of CLIP: tiny random models built by the real libraries, and the numbers that these compute.

    python interop/families.py FAMILY SEED OUT [SIZE]

writes the folder OUT/FAMILY with the model as the library ships it, inputs.safetensors, expected.safetensors and case.json. SIZE (1, 2, ...) multiplies
width and depth. FAMILY is a key of FAMILIES or MAKERS, or all
of FAMILIES.

open_clip's families: torch 2.10.0, open_clip_torch 3.3.0, timm 1.0.31, safetensors 0.4 or newer.
transformers' families (keys of MAKERS): torch 2.10.0, transformers 5.24.0.
"""

import copy
import json
import pathlib
import sys

import torch

TOLERANCE = 1e-5


def randomize(model, generator):
    """Weights of a size that makes every layer count, rounded to float16 as they are stored."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in ("logit_scale", "logit_bias"):
                parameter.copy_(parameter.half().float())
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            is_scale = name.endswith((".weight", "gamma_1", "gamma_2", "gamma")) and parameter.dim() == 1
            if is_scale:
                value = 1 + 0.1 * noise
            elif parameter.dim() == 1:
                value = 0.1 * noise
            else:
                value = noise * parameter[0].numel() ** -0.5
            parameter.copy_(value.half().float())
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_((0.1 * torch.randn(buffer.shape, generator=generator)).half().float())
            elif name.endswith("running_var"):
                buffer.copy_((0.5 + torch.rand(buffer.shape, generator=generator)).half().float())


def stored(model):
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().clone()
        for name, tensor in model.state_dict().items()
    }


def write(folder, files, inputs, expected, case):
    import safetensors.torch

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if name.endswith(".safetensors"):
            safetensors.torch.save_file(content, folder / name, metadata={"format": "pt"})
        else:
            (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    safetensors.torch.save_file({k: v.contiguous().clone() for k, v in inputs.items()}, folder / "inputs.safetensors")
    safetensors.torch.save_file({k: v.contiguous().clone() for k, v in expected.items()}, folder / "expected.safetensors")
    case["tolerance_abs_fp32"] = TOLERANCE
    case["inputs"] = {k: f"{str(v.dtype)[6:]} {list(v.shape)}" for k, v in inputs.items()}
    case["expected"] = {k: f"{str(v.dtype)[6:]} {list(v.shape)}" for k, v in expected.items()}
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")


def open_clip_case(family, seed, folder, size):
    """A model of open_clip by its config, with a tiny trunk in place of the published one of that name."""
    import open_clip
    import open_clip.model
    import open_clip.timm_model
    import timm

    spec = FAMILIES[family]
    config, trunk = spec(size)
    stem = trunk.pop("stem", None)
    if stem:
        trunk["embed_layer"] = conv_stem(stem)
    generator = torch.Generator().manual_seed(seed)
    original = timm.create_model
    open_clip.timm_model.timm.create_model = lambda name, **kwargs: original(name, **{**kwargs, **trunk})
    built = copy.deepcopy(config)
    built["vision_cfg"].pop("timm_kwargs", None)
    multimodal = built.pop("multimodal_cfg", None)
    custom = built.pop("custom_text", False)
    try:
        if multimodal:
            from open_clip.coca_model import CoCa

            model = CoCa(**built, multimodal_cfg=multimodal)
        else:
            model = (open_clip.model.CustomTextCLIP if custom else open_clip.model.CLIP)(**built)
    finally:
        open_clip.timm_model.timm.create_model = original
    model = model.eval()
    randomize(model, generator)
    side = config["vision_cfg"]["image_size"]
    context = config["text_cfg"]["context_length"]
    vocabulary = config["text_cfg"]["vocab_size"]
    pixels = torch.randn(3, 3, side, side, generator=generator)
    ids = torch.randint(1, vocabulary - 2, (4, context), generator=generator)
    for row, length in enumerate((2, context // 2, context - 1, context)):
        ids[row, length - 1] = config["text_cfg"].get("eos_id", vocabulary - 1)
        ids[row, length:] = 0
    if multimodal:
        ids[3, context // 2] = 0  # the id of the padding is one of a character too
    states = {}
    if hasattr(model.visual, "trunk"):
        hooked = {f"vision.block.{i}": block for i, block in enumerate(model.visual.trunk.blocks)}
        hooked["vision.tokens_normed"] = model.visual.trunk.norm
    else:
        hooked = {f"vision.block.{i}": block for i, block in enumerate(model.visual.transformer.resblocks)}
    for name, module in hooked.items():
        module.register_forward_hook(lambda _m, _i, out, name=name: states.__setitem__(name, out))
    if stem:
        first, last = model.visual.trunk.patch_embed.backbone[0].conv.weight, model.visual.trunk.norm.weight
    elif hasattr(model.visual, "trunk"):
        first, last = model.visual.trunk.patch_embed.proj.weight, model.visual.trunk.norm.weight
    else:
        first, last = model.visual.conv1.weight, model.visual.ln_post.weight
    loss = model.encode_image(pixels, normalize=False).square().mean()
    gradients = dict(zip(("gradient.patch_embedding", "gradient.post_layernorm"), torch.autograd.grad(loss, (first, last))))
    with torch.no_grad():
        image = model.encode_image(pixels, normalize=False)
        text = model.encode_text(ids, normalize=False)
        unit = torch.nn.functional.normalize
        logits = model.logit_scale.exp() * unit(image, dim=-1) @ unit(text, dim=-1).T
        if getattr(model, "logit_bias", None) is not None:
            logits = logits + model.logit_bias
        if multimodal:
            states["image_tokens"] = model.visual(pixels)[1] @ model.visual.proj
    expected = {"image_features": image, "text_features": text, "logits_per_image": logits, **states, **gradients}
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    files = {
        "open_clip_config.json": {"model_cfg": config, "preprocess_cfg": preprocess},
        "open_clip_model.safetensors": stored(model),
    }
    case = {
        "what": f"open_clip {type(model).__name__}, {config['vision_cfg'].get('timm_model_name', 'built-in tower')}",
        "library": {"torch": torch.__version__, "open_clip_torch": open_clip.__version__, "timm": timm.__version__},
        "seed": seed,
        "gradients": "of the mean of the squares of image_features; within 1e-4 of the largest value",
        "timm_kwargs": {k: v for k, v in trunk.items() if not callable(v)},
    }
    write(folder, files, {"pixel_values": pixels, "input_ids": ids}, expected, case)


def naflex_case(family, seed, folder, size):
    """SigLIP 2 NaFlex by transformers 5: pictures of several ratios through its own image processor (on Pillow)."""
    import numpy
    import transformers
    from transformers import Siglip2Config, Siglip2Model
    from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

    generator = torch.Generator().manual_seed(seed)
    layers = {"hidden_size": 32 * size, "intermediate_size": 48 * size, "num_hidden_layers": 1 + size, "num_attention_heads": 2}
    patch, patches, most = 4 * size, 16, 20
    config = Siglip2Config(
        text_config={**layers, "hidden_size": 24 * size, "projection_size": 32 * size, "vocab_size": 99, "max_position_embeddings": 16},
        vision_config={**layers, "patch_size": patch, "num_patches": patches},
    )
    model = Siglip2Model(config).eval()
    randomize(model, generator)
    with torch.no_grad():
        model.logit_scale.fill_(2.0)
        model.logit_bias.fill_(-3.0)
    processor = Siglip2ImageProcessorPil(patch_size=patch, max_num_patches=most)
    inputs, expected = {}, {}
    pictures = []
    for i, (height, width) in enumerate(((30, 50), (64, 17), (40, 40), (9, 70))):
        pictures.append(torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8))
        inputs[f"picture.{i}"] = pictures[-1]
    seen = processor([picture.numpy() for picture in pictures], return_tensors="pt")
    for key in ("pixel_values", "pixel_attention_mask", "spatial_shapes"):
        expected[key] = torch.as_tensor(numpy.asarray(seen[key]))
    inputs["input_ids"] = torch.randint(0, 99, (3, 16), generator=generator)
    with torch.no_grad():
        out = model(input_ids=inputs["input_ids"], **seen)
        expected["image_features"] = model.vision_model(**seen).pooler_output
        expected["text_features"] = model.text_model(input_ids=inputs["input_ids"]).pooler_output
        expected["logits_per_image"] = out.logits_per_image
    tower = model.vision_model
    learned = {"patch_embedding": tower.embeddings.patch_embedding, "position_embedding": tower.embeddings.position_embedding,
               "post_layernorm": tower.post_layernorm}
    loss = tower(**seen).pooler_output.square().mean()
    for name, gradient in zip(learned, torch.autograd.grad(loss, [module.weight for module in learned.values()])):
        expected["gradient." + name] = gradient
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)
    case = {
        "what": "transformers Siglip2Model (NaFlex) with Siglip2ImageProcessorPil; picture.N is uint8 [height, width, 3]",
        "library": {"torch": torch.__version__, "transformers": transformers.__version__},
        "seed": seed,
        "gradients": "of the mean of the squares of image_features; within 1e-4 of the largest value",
    }
    write(folder, {}, inputs, expected, case)


def metaclip2_case(family, seed, folder, size):
    """MetaCLIP 2 by transformers 5: pooled at the first token of the id that the config names, whatever that is."""
    import transformers
    from transformers import MetaClip2Config, MetaClip2Model

    generator = torch.Generator().manual_seed(seed)
    layers = {"hidden_size": 32 * size, "intermediate_size": 48 * size, "num_hidden_layers": 1 + size, "num_attention_heads": 2,
              "projection_dim": 20 * size, "hidden_act": "gelu"}
    config = MetaClip2Config(
        text_config={**layers, "vocab_size": 99, "max_position_embeddings": 16, "eos_token_id": 2, "bos_token_id": 0},
        vision_config={**layers, "patch_size": 8, "image_size": 32},
        projection_dim=20 * size,
    )
    model = MetaClip2Model(config).eval()
    randomize(model, generator)
    ids = torch.randint(3, 99, (4, 16), generator=generator)
    for row, length in enumerate((2, 8, 15, 16)):
        ids[row, length - 1] = 2
        ids[row, length:] = 1
    pixels = torch.randn(3, 3, 32, 32, generator=generator)
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pixels)
        image = model.visual_projection(model.vision_model(pixels).pooler_output)
        text = model.text_projection(model.text_model(ids).pooler_output)
    expected = {"image_features": image, "text_features": text, "logits_per_image": out.logits_per_image}
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    preprocessor = {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 32},
                    "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}
    case = {
        "what": "transformers MetaClip2Model",
        "library": {"torch": torch.__version__, "transformers": transformers.__version__},
        "seed": seed,
    }
    write(folder, {"preprocessor_config.json": preprocessor}, {"pixel_values": pixels, "input_ids": ids}, expected, case)


def longclip_case(family, seed, folder, size):
    """Long-CLIP: open_clip's CLIP of 248 positions, its table stored in two as the authors of Long-CLIP do (the first 20 rows of the one)."""
    import open_clip
    import open_clip.model

    generator = torch.Generator().manual_seed(seed)
    config = {"embed_dim": 20 * size, "quick_gelu": True,
              "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 64, "layers": size, "head_width": 64},
              "text_cfg": {"context_length": 248, "vocab_size": 99, "width": 64, "heads": 1, "layers": size}}
    model = open_clip.model.CLIP(**config).eval()
    randomize(model, generator)
    pixels = torch.randn(3, 3, 32, 32, generator=generator)
    ids = torch.randint(1, 97, (4, 248), generator=generator)
    for row, length in enumerate((2, 19, 100, 248)):
        ids[row, length - 1] = 98
        ids[row, length:] = 0
    with torch.no_grad():
        image, text = model.encode_image(pixels), model.encode_text(ids)
        unit = torch.nn.functional.normalize
        logits = model.logit_scale.exp() * unit(image, dim=-1) @ unit(text, dim=-1).T
    weights = {name: tensor for name, tensor in stored(model).items() if name != "attn_mask"}
    rest = weights["positional_embedding"].clone()
    weights["positional_embedding"][20:] = 7
    rest[:20] = -7
    weights["positional_embedding_res"] = rest
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(weights, folder / "longclip.pt")
    expected = {"image_features": image, "text_features": text, "logits_per_image": logits}
    case = {
        "what": "Long-CLIP's two tables of positions over open_clip's CLIP, a plain state dictionary longclip.pt",
        "library": {"torch": torch.__version__, "open_clip_torch": open_clip.__version__},
        "seed": seed,
    }
    write(folder, {}, {"pixel_values": pixels, "input_ids": ids}, expected, case)


def text(size, context=16):
    return {"context_length": context, "vocab_size": 99, "width": 24 * size, "heads": 2, "layers": 1 + size}


def pe_core(size, class_token=True):
    name = "vit_pe_core_tiny_patch16_384" if class_token else "vit_pe_core_gigantic_patch14_448"
    trunk = {"img_size": 32, "patch_size": 8, "embed_dim": 32 * size, "depth": 1 + size, "num_heads": 2,
             "mlp_ratio": 4.0 if class_token else 3.5}
    vision = {"image_size": 32, "timm_model_name": name, "timm_model_pretrained": False, "timm_pool": "map",
              "timm_proj": None, "timm_kwargs": {"num_heads": 2}}
    return {"embed_dim": 20 * size, "vision_cfg": vision, "text_cfg": text(size), "custom_text": True}, trunk


def eva02(size):
    trunk = {"img_size": 40, "patch_size": 8, "embed_dim": 32 * size, "depth": 1 + size, "num_heads": 2}
    vision = {"image_size": 40, "timm_model_name": "eva02_base_patch16_clip_224", "timm_model_pretrained": False,
              "timm_pool": "token", "timm_proj": None, "timm_kwargs": {"num_heads": 2}}
    return {"embed_dim": 20 * size, "vision_cfg": vision, "text_cfg": text(size), "custom_text": True}, trunk


def eva(size, name):
    config, trunk = eva02(size)
    config["vision_cfg"]["timm_model_name"] = name
    trunk["mlp_ratio"] = 3.0
    return config, trunk


def clipa(size):
    vision = {"image_size": 32, "layers": 1 + size, "width": 32 * size, "head_width": 16, "patch_size": 8, "no_ln_pre": True,
              "pool_type": "avg", "final_ln_after_pool": True}
    words = {**text(size), "hf_tokenizer_name": "bert-base-uncased", "tokenizer_kwargs": {"strip_sep_token": True},
             "pool_type": "last", "no_causal_mask": True}
    return {"embed_dim": 20 * size, "vision_cfg": vision, "text_cfg": words}, {}


def siglip2(size, name, **trunk):
    """The activation of the tower is timm's of that name; the text tower is of another width and ratio than gopt-16's image tower."""
    trunk |= {"img_size": 32, "patch_size": 8, "embed_dim": 32 * size, "depth": 1 + size, "num_heads": 4}
    vision = {"image_size": 32, "timm_model_name": name, "timm_model_pretrained": False,
              "timm_pool": "map", "timm_proj": "none", "timm_kwargs": {"num_heads": 4}}
    words = {**text(size), "hf_tokenizer_name": "timm/ViT-gopt-16-SigLIP2-256", "tokenizer_kwargs": {"clean": "canonicalize"},
             "mlp_ratio": 3.7362, "no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6},
             "act_kwargs": {"approximate": "tanh"}}
    return {"embed_dim": 32 * size, "init_logit_bias": -10, "custom_text": True, "vision_cfg": vision, "text_cfg": words}, trunk


def mobileclip_b(size):
    """Only the width of the published stem is another: its kernels are those of vit_base_mci_224."""
    config, _ = eva02(size)
    config["vision_cfg"] |= {"timm_model_name": "vit_base_mci_224", "image_size": 32}
    return config, {"img_size": 32, "stem": 16 * size, "embed_dim": 16 * size, "depth": 1 + size, "num_heads": 2}


def conv_stem(width):
    import functools

    import timm.layers
    from timm.models.vision_transformer_hybrid import ConvStem

    stem = ConvStem(channels=(width // 4, width // 4, width), stride=(4, 2, 2), kernel_size=(4, 2, 2), padding=0, act_layer=torch.nn.GELU)
    return functools.partial(timm.layers.HybridEmbed, backbone=stem, proj=False)


def coca(size, embed=12):
    """Of queries as wide as the tokens torch keeps the three matrices as one."""
    vision = {"image_size": 16, "layers": 1 + size, "width": 16 * size, "head_width": 8, "patch_size": 4, "attentional_pool": True,
              "attn_pooler_heads": 4, "attn_pooler_queries": 5 + size, "output_tokens": True}
    words = {**text(size), "width": 12 * size, "embed_cls": True, "output_tokens": True}
    decoder = {"context_length": 16, "vocab_size": 99, "width": embed * size, "heads": 2, "layers": 1, "attn_pooler_heads": 2}
    return {"embed_dim": embed * size, "custom_text": True, "vision_cfg": vision, "text_cfg": words, "multimodal_cfg": decoder}, {}


def coca_base(size):
    """Without an attentional pooling: the class token of the image tower, whose patches the decoder takes."""
    config, trunk = coca(size)
    vision = config["vision_cfg"]
    config["vision_cfg"] = {key: vision[key] for key in ("image_size", "layers", "width", "head_width", "patch_size", "output_tokens")}
    return config, trunk


def metaclip2_of_open_clip(size):
    """Texts are pooled at the first token of the id that the config names, the lowest but two."""
    vision = {"image_size": 32, "layers": 1 + size, "width": 32 * size, "head_width": 16, "patch_size": 8, "mlp_ratio": 3.25}
    words = {**text(size), "hf_tokenizer_name": "facebook/xlm-v-base", "pool_type": "eos", "eos_id": 2}
    return {"embed_dim": 20 * size, "quick_gelu": size == 1, "vision_cfg": vision, "text_cfg": words}, {}


MAKERS = {"siglip2-naflex": naflex_case, "metaclip2": metaclip2_case, "long-clip": longclip_case}

def timm_vit(size):
    config, trunk = eva02(size)
    config["vision_cfg"]["timm_model_name"] = "vit_large_patch14_clip_224"
    return config, {**trunk, "mlp_ratio": 2.0}


FAMILIES = {
    "timm-vit-clip": timm_vit,
    "mobileclip-b": mobileclip_b,
    "coca": coca,
    "coca-base": coca_base,
    "metaclip2-open_clip": metaclip2_of_open_clip,
    "coca-of-one-width": lambda size: coca(size, embed=16),
    "clipa": clipa,
    "siglip2-gopt": lambda size: siglip2(size, "vit_giantopt_patch16_siglip_256"),
    "siglip2-so400m-14": lambda size: siglip2(size, "vit_so400m_patch14_siglip_378"),
    "siglip2-so400m-16": lambda size: siglip2(size, "vit_so400m_patch16_siglip_384"),
    "pe-core": pe_core,
    "pe-core-without-class-token": lambda size: pe_core(size, class_token=False),
    "eva02-clip": eva02,
    "eva02-clip-e": lambda size: eva(size, "eva02_enormous_patch14_clip_224"),
    "eva01-clip": lambda size: eva(size, "eva_giant_patch14_224"),
}


def main():
    family, seed, out = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    size = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    for name in FAMILIES if family == "all" else [family]:
        MAKERS.get(name, open_clip_case)(name, seed, out / name, size)


main()
