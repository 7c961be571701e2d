package dev.diva.train;

import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import dev.diva.engine.GpuMemory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Memory of this process as its records have it: resident, and the most that a GPU has given where one is used. */
public final class MemoryUse {
    private MemoryUse() {}

    /** {@code rssBytes}; on a GPU {@code gpuPeakBytes} of tensors and {@code gpuReservedPeakBytes} of CUDA's allocator too. */
    public static Map<String, Long> now() {
        return of(Engine.residentBytes(), Gpu.memory());
    }

    static Map<String, Long> of(long residentBytes, Optional<GpuMemory> gpu) {
        Map<String, Long> memory = new LinkedHashMap<>();
        memory.put("rssBytes", residentBytes);
        gpu.ifPresent(there -> memory.putAll(there.peaks()));
        return memory;
    }
}
