package dev.diva.engine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.cuda.CUDAEvent;
import org.bytedeco.pytorch.cuda.CUDAStream;
import org.bytedeco.pytorch.cuda.CUDAStreamGuard;
import org.bytedeco.pytorch.global.torch_cuda;

/**
 * The stream of a GPU in which batches and random numbers arrive: a copy is done beside the work that was asked for before it, and only what
 * comes behind it waits for it. For GPUs alone; nothing here may be touched on a machine without.
 */
final class CopyStream {
    private static final Map<Byte, CUDAStream> STREAMS = new ConcurrentHashMap<>();

    private CopyStream() {}

    /**
     * Copies a tensor of the processor.
     *
     * @return in the same type, ready for the stream in which this thread works
     */
    static Tensor onto(Tensor tensor, Device device) {
        byte index = device.index(); // -1: the one that is used
        CUDAStream copies = STREAMS.computeIfAbsent(index, CopyStream::open);
        CUDAStream work = torch_cuda.getCurrentCUDAStream(index);
        Tensor pinned = tensor.pin_memory(); // libtorch keeps it until the copy is done
        Tensor there;
        try (CUDAStreamGuard guard = new CUDAStreamGuard(copies.asStream());
                CUDAEvent done = new CUDAEvent()) {
            boolean waits = false;
            there = pinned.to(device, tensor.scalar_type(), !waits, false, new MemoryFormatOptional());
            done.record(copies);
            done.block(work); // the work behind waits on the GPU; nobody waits here
        }
        there.record_stream(work.asStream()); // its memory is not given to the next copy while the work may read it
        return there;
    }

    private static CUDAStream open(byte index) {
        boolean isUrgent = false;
        CUDAStream stream = torch_cuda.getStreamFromPool(isUrgent, index);
        stream.retainReference(); // beyond the scope of the first copy
        return stream;
    }
}
