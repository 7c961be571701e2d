package dev.diva.world.pretrain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.ConfigJson;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Shapes of the small autoencoder and denoiser, as the config files of diffusers. */
final class MiniDiffusion {
    /** The name that diffusers looks for. */
    static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    static final int DOWNSCALE = 4;

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String AUTOENCODER = """
            {"_class_name": "AutoencoderKL", "act_fn": "silu", "in_channels": 3, "out_channels": 3, "latent_channels": 8,
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
             "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
             "block_out_channels": [16, 32, 64], "layers_per_block": 1, "norm_num_groups": 8,
             "mid_block_add_attention": false}""";

    private static final String DENOISER = """
            {"_class_name": "DiTTransformer2DModel", "activation_fn": "gelu-approximate", "attention_bias": true,
             "in_channels": 8, "out_channels": 8, "num_layers": 4, "num_attention_heads": 4,
             "norm_elementwise_affine": false, "norm_type": "ada_norm_zero", "num_embeds_ada_norm": 1}""";

    private static final String SCHEDULER = """
            {"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
             "num_train_timesteps": 1000, "prediction_type": "v_prediction", "clip_sample": false,
             "set_alpha_to_one": false, "steps_offset": 1}""";

    private static final int HEADS = 4;
    private static final int GRID = 4; // tokens along a side

    private static final String INDEX = """
            {"_class_name": "DiTPipeline", "_diffusers_version": "0.31.0",
             "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
             "tokenizer": ["transformers", "CLIPTokenizer"], "transformer": ["diffusers", "DiTTransformer2DModel"],
             "vae": ["diffusers", "AutoencoderKL"]}""";

    private MiniDiffusion() {}

    static ObjectNode autoencoder(double scalingFactor, int side) {
        return parse(AUTOENCODER).put("sample_size", side).put("scaling_factor", scalingFactor);
    }

    static ObjectNode denoiser(long conditionWidth, int side) {
        int latentSide = side / DOWNSCALE;
        return parse(DENOISER)
                .put("attention_head_dim", conditionWidth / HEADS)
                .put("sample_size", latentSide)
                .put("patch_size", Math.max(1, latentSide / GRID));
    }

    static ObjectNode scheduler() {
        return parse(SCHEDULER);
    }

    static ObjectNode index() {
        return parse(INDEX);
    }

    static ConfigJson config(ObjectNode json) {
        return new ConfigJson(json, "mini world");
    }

    /** uint8 to fp32 in -1..1. */
    static Tensor pixels(Tensor bytes) {
        return bytes.to(ScalarType.Float).div(new Scalar(127.5)).sub(new Scalar(1.0));
    }

    private static ObjectNode parse(String json) {
        try {
            return (ObjectNode) JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the configs of the mini world are JSON", e);
        }
    }
}
