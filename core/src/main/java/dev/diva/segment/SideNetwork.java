package dev.diva.segment;

import dev.diva.checkpoint.Weights;
import dev.diva.clip.PositionTable;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Conv2d;
import dev.diva.model.LayerNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * SAN's side network: a small ViT over queries and patches of the full picture, to whose patches maps of CLIP are added. The table of
 * positions is added before every block.
 */
final class SideNetwork {
    private final Tensor queries; // [1, queries, width]
    private final Tensor queryPositions;
    private final Tensor positions; // [1, grid * grid, width]
    private final Conv2d patches;
    private final List<SideBlock> blocks = new ArrayList<>();
    private final SortedMap<Integer, Fusion> fusions = new TreeMap<>();
    private final SanShape shape;

    /** Layer norm over the channels of a map of CLIP, then a 1 x 1 convolution to the side network's width. */
    private record Fusion(LayerNorm norm, Conv2d projection) {
        static Fusion of(Weights weights, long from, long to) {
            return new Fusion(
                    new LayerNorm(weights.at("0"), from, SideBlock.NORM_EPS),
                    Conv2d.of(weights.at("1"), from, to, Conv2d.Geometry.POINT));
        }
    }

    /**
     * Reads the network.
     *
     * @param weights the view under {@code side_adapter_network}
     * @param products type in which its blocks multiply matrices
     */
    SideNetwork(Weights weights, SanShape shape, SanSettings settings, long clipWidth, ScalarType products) {
        long width = shape.width();
        this.shape = shape;
        this.queries = weights.vector("query_embed", 1, shape.queries(), width);
        this.queryPositions = weights.vector("query_pos_embed", 1, shape.queries(), width);
        Weights vit = weights.at("vit_model");
        this.positions = vit.vector("pos_embed", 1, shape.grid() * shape.grid(), width);
        Conv2d.Geometry geometry = new Conv2d.Geometry(shape.patch(), shape.patch(), 0);
        this.patches = Conv2d.of(vit.at("patch_embed").at("proj"), 3, width, geometry);
        for (int i = 0; i < shape.blocks(); i++) {
            blocks.add(new SideBlock(vit.at("blocks", i), shape, settings.sideHeads(), products));
        }
        for (int block : settings.fusion().keySet()) {
            Weights fusion = weights.at("fusion_layers").at("layer_" + block).at("input_proj");
            fusions.put(block, Fusion.of(fusion, clipWidth, width));
        }
    }

    /** Is shown what happens between the layers. */
    interface Watch {
        /** A tensor under the name that it has in SAN. */
        void saw(String name, Tensor value);
    }

    /**
     * What enters the network and what each block gives, after fusion: blocks + 1 tensors of [batch, queries + patches, width].
     *
     * @param pixels [batch, 3, height, width]
     * @param maps what is added behind a block: [batch, clipWidth, rows, columns] by the number of the block
     */
    List<Tensor> forward(Tensor pixels, IntFunction<Tensor> maps, Watch watch) {
        Tensor grid = patches.forward(Tensors.onto(pixels, queries.device(), queries.scalar_type()));
        long[] size = {grid.size(2), grid.size(3)};
        Tensor table = torch.cat(new TensorVector(queryPositions, table(size).unsqueeze(0)), 1);
        Tensor learned = queries.expand(pixels.size(0), -1, -1).to(grid.scalar_type());
        Tensor tokens = torch.cat(new TensorVector(learned, grid.flatten(2, 3).transpose(1, 2)), 1);
        List<Tensor> states = new ArrayList<>();
        states.add(fused(0, tokens.add(table), size, maps, watch));
        for (int i = 1; i <= blocks.size(); i++) {
            Tensor before = states.get(i - 1);
            Tensor after = blocks.get(i - 1).forward(i == 1 ? before : before.add(table));
            watch.saw("side.block." + i, after);
            states.add(fused(i, after, size, maps, watch));
        }
        return states;
    }

    private Tensor table(long... size) {
        return PositionTable.resized(positions.select(0, 0), 0, size[0], size[1]);
    }

    private Tensor fused(int block, Tensor x, long[] size, IntFunction<Tensor> maps, Watch watch) {
        Fusion fusion = fusions.get(block);
        if (fusion == null) {
            return x;
        }
        Tensor result = Scopes.returning(() -> {
            Tensor map = maps.apply(block).permute(0, 2, 3, 1);
            Tensor normed = fusion.norm.forward(map).permute(0, 3, 1, 2);
            Tensor added = torch.upsample_bilinear2d(
                    fusion.projection.forward(normed), size, false, new DoubleOptional(), new DoubleOptional());
            List<Tensor> parts = Tensors.split(x, 1, shape.queries(), x.size(1) - shape.queries());
            Tensor ofPatches = parts.get(1).add(added.flatten(2, 3).transpose(1, 2));
            return torch.cat(new TensorVector(parts.get(0), ofPatches), 1);
        });
        watch.saw("side.fused.layer_" + block, result.narrow(1, shape.queries(), result.size(1) - shape.queries()));
        return result;
    }
}
