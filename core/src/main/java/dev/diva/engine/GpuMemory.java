package dev.diva.engine;

/**
 * What CUDA's allocator has of a GPU for this process. What CUDA and its libraries take themselves is not in it.
 *
 * @param allocatedBytes that tensors take
 * @param reservedBytes that the allocator has taken from the GPU, tensors and room for more
 * @param peakAllocatedBytes most that tensors have taken
 * @param peakReservedBytes most that the allocator has taken
 */
public record GpuMemory(long allocatedBytes, long reservedBytes, long peakAllocatedBytes, long peakReservedBytes) {}
