package dev.diva.engine;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What CUDA's allocator has of a GPU for this process. What CUDA and its libraries take themselves is not in it.
 *
 * @param allocatedBytes that tensors take
 * @param reservedBytes that the allocator has taken from the GPU, tensors and room for more
 * @param peakAllocatedBytes most that tensors have taken
 * @param peakReservedBytes most that the allocator has taken
 */
public record GpuMemory(long allocatedBytes, long reservedBytes, long peakAllocatedBytes, long peakReservedBytes) {
    /** The two peaks as records name them. */
    public Map<String, Long> peaks() {
        Map<String, Long> peaks = new LinkedHashMap<>();
        peaks.put("gpuPeakBytes", peakAllocatedBytes);
        peaks.put("gpuReservedPeakBytes", peakReservedBytes);
        return peaks;
    }
}
