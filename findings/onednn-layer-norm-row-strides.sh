#!/bin/sh
# oneDNN 3.2.0 (PyPI onednn-devel-cpu-gomp 2023.2.0; 3.11 of Maven's org.bytedeco:dnnl 1.5.13 does the same) on x86-64: layer normalization
# takes a memory descriptor whose rows have gaps between them, picks its fast kernel for it, reports success, and computes as if the rows
# followed each other: all rows but the first are wrong. Products follow such strides. Seen: jit:uni, 1.528 -0.932 0.000 for 1.528 thrice.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q onednn-devel-cpu-gomp==2023.2.0
cat > "$work/rows.cpp" <<'CPP'
#include <cmath>
#include <cstdio>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

using namespace dnnl;

int main() {
    const int rows = 3, width = 8, gap = 4;
    engine cpu(engine::kind::cpu, 0);
    stream queue(cpu);
    memory::desc spread({rows, width}, memory::data_type::f32, memory::dims{width + gap, 1});
    std::vector<float> x(rows * (width + gap), 100.f), y(x.size(), 0.f), ones(width, 1.f), zeros(width, 0.f);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < width; i++) x[r * (width + gap) + i] = float((r + 1) * i);
    layer_normalization_forward::primitive_desc kernel(cpu, prop_kind::forward_inference, spread, spread, 1e-5f,
            normalization_flags::use_scale | normalization_flags::use_shift);
    memory::desc vector({width}, memory::data_type::f32, memory::dims{1});
    layer_normalization_forward(kernel).execute(queue,
            {{DNNL_ARG_SRC, memory(spread, cpu, x.data())}, {DNNL_ARG_DST, memory(spread, cpu, y.data())},
                    {DNNL_ARG_SCALE, memory(vector, cpu, ones.data())},
                    {DNNL_ARG_SHIFT, memory(vector, cpu, zeros.data())}});
    queue.wait();
    // Every row is a multiple of 0 to 7: normalised, all are the same.
    float right = float((7 - 3.5) / std::sqrt(5.25));
    const version_t *v = version();
    std::printf("oneDNN %d.%d.%d, %s, the last number of each row, %.3f expected:", v->major, v->minor, v->patch,
            kernel.impl_info_str(), right);
    int wrong = 0;
    for (int r = 0; r < rows; r++) {
        float last = y[r * (width + gap) + width - 1];
        std::printf(" %.3f", last);
        wrong += std::fabs(last - right) > 0.01f;
    }
    std::printf("\n");
    return wrong == rows - 1 ? 0 : 1;
}
CPP
g++ -O1 -I"$work/env/include" "$work/rows.cpp" -o "$work/rows" -L"$work/env/lib" -ldnnl
LD_LIBRARY_PATH="$work/env/lib" "$work/rows"
