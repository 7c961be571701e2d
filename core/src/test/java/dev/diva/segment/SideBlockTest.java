package dev.diva.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.testing.Close;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class SideBlockTest {
    /** Products are rounded to bf16, and what the block gives is not: its numbers are fp32 that bf16 cannot hold. */
    @Test
    void onlyProductsAreInBf16() {
        try (PointerScope scope = new PointerScope();
                TensorSource source = SanFile.open(new SanCase("base").san())) {
            SanShape shape = SanShape.of(source);
            Weights blocks = Weights.frozen(source, Placement.cpu(Precision.FP32))
                    .at(SanFile.SIDE)
                    .at("vit_model");
            Tensor x = RandomStreams.randn(new RandomStreams(5).stream("x"), 2, 7, shape.width());
            Tensor exact = new SideBlock(blocks.at("blocks", 0), shape, 1, ScalarType.Float).forward(x);
            Tensor rounded = new SideBlock(blocks.at("blocks", 0), shape, 1, ScalarType.BFloat16).forward(x);
            Close.assertCloseToLargest(rounded, exact, 0.02, 0.02);
            assertThat(rounded.scalar_type().intern()).isEqualTo(ScalarType.Float);
            assertThat(rounded.equal(exact)).isFalse();
            assertThat(rounded.equal(rounded.to(ScalarType.BFloat16).to(ScalarType.Float)))
                    .isFalse();
        }
    }
}
