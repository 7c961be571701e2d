package dev.diva.bench.truesize;

/** Names and shapes of transformers' CLIPModel and CLIPTextModel. */
final class ClipTensors {
    static final long VOCABULARY = 49408;
    static final long CONTEXT = 77;

    /** Shape of one tower. */
    record Tower(long width, int layers, long heads) {
        long intermediate() {
            return 4 * width;
        }
    }

    private ClipTensors() {}

    /** Both towers, their projections and the logit scale. */
    static TensorList clip(Tower vision, long imageSize, long patchSize, Tower text, long projection) {
        TensorList all = new TensorList();
        TensorList model = all.at("vision_model");
        long patches = (imageSize / patchSize) * (imageSize / patchSize);
        model.tensor("embeddings.class_embedding", vision.width);
        model.tensor("embeddings.patch_embedding.weight", vision.width, 3, patchSize, patchSize);
        model.tensor("embeddings.position_embedding.weight", patches + 1, vision.width);
        model.norm("pre_layrnorm", vision.width); // sic
        encoder(model, vision);
        model.norm("post_layernorm", vision.width);
        textModel(all, text);
        all.matrix("visual_projection", vision.width, projection);
        all.matrix("text_projection", text.width, projection);
        all.tensor("logit_scale");
        return all;
    }

    /** The text tower alone, as diffusion models ship it. */
    static TensorList textEncoder(Tower text) {
        TensorList all = new TensorList();
        textModel(all, text);
        return all;
    }

    private static void textModel(TensorList all, Tower text) {
        TensorList model = all.at("text_model");
        model.tensor("embeddings.token_embedding.weight", VOCABULARY, text.width);
        model.tensor("embeddings.position_embedding.weight", CONTEXT, text.width);
        encoder(model, text);
        model.norm("final_layer_norm", text.width);
    }

    private static void encoder(TensorList model, Tower tower) {
        for (int i = 0; i < tower.layers; i++) {
            TensorList layer = model.at("encoder.layers", i);
            layer.norm("layer_norm1", tower.width);
            layer.norm("layer_norm2", tower.width);
            for (String name : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
                layer.linear("self_attn." + name, tower.width, tower.width);
            }
            layer.linear("mlp.fc1", tower.width, tower.intermediate());
            layer.linear("mlp.fc2", tower.intermediate(), tower.width);
        }
    }
}
