package dev.diva.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;

/**
 * AVIF through libaom, which ffmpeg brings along: the main image with its plane of transparency, or the first frame of a sequence. As
 * Pillow does, it is always given in RGB or RGBA, and neither turned nor mirrored. Safe for any number of threads.
 */
final class AvifPixels {
    static {
        avutil.av_log_set_level(avutil.AV_LOG_QUIET);
    }

    private AvifPixels() {}

    static RasterImage decode(byte[] file, long maxPixels) throws IOException {
        try (MemoryInput input = new MemoryInput(file)) {
            AVFormatContext format = avformat.avformat_alloc_context();
            format.pb(input.context());
            // Frees the context where it fails. Only this container is tried, whatever the bytes pretend to be.
            require(avformat.avformat_open_input(
                    format, "", avformat.av_find_input_format("mov"), (AVDictionary) null));
            try {
                return image(format, maxPixels);
            } finally {
                avformat.avformat_close_input(format);
            }
        } catch (LinkageError e) {
            throw new IOException(
                    "the library that reads AVIF does not load on this machine (" + e.getMessage() + ")", e);
        }
    }

    private static RasterImage image(AVFormatContext format, long maxPixels) throws IOException {
        if (format.nb_streams() == 0) {
            throw new IOException("no image that is decoded (one of several tiles?)");
        }
        AVFrame colors = frame(format, 0, maxPixels);
        try {
            int alpha = alphaStream(format);
            if (alpha < 0) {
                return YuvPixels.of(colors, null);
            }
            AVFrame transparency = frame(format, alpha, maxPixels);
            try {
                return YuvPixels.of(colors, transparency);
            } finally {
                avutil.av_frame_free(transparency);
            }
        } finally {
            avutil.av_frame_free(colors);
        }
    }

    /** The auxiliary image behind the main one; the frames of a sequence are marked as shown by themselves. */
    private static int alphaStream(AVFormatContext format) {
        for (int i = 1; i < format.nb_streams(); i++) {
            boolean shown = (format.streams(i).disposition() & avformat.AV_DISPOSITION_DEFAULT) != 0;
            if (!shown
                    && format.streams(i).codecpar().width()
                            == format.streams(0).codecpar().width()) {
                return i;
            }
        }
        return -1;
    }

    /** The first frame of a stream; the caller frees it. */
    private static AVFrame frame(AVFormatContext format, int stream, long maxPixels) throws IOException {
        AVCodec codec = avcodec.avcodec_find_decoder_by_name("libaom-av1");
        if (format.streams(stream).codecpar().codec_id() != avcodec.AV_CODEC_ID_AV1) {
            throw new IOException("it holds no AV1 image");
        }
        AVCodecContext context = avcodec.avcodec_alloc_context3(codec);
        AVPacket packet = avcodec.av_packet_alloc();
        AVFrame frame = avutil.av_frame_alloc();
        boolean whole = false;
        try {
            require(avcodec.avcodec_parameters_to_context(
                    context, format.streams(stream).codecpar()));
            context.max_pixels(maxPixels).thread_count(1);
            require(avcodec.avcodec_open2(context, codec, (AVDictionary) null));
            require(avformat.av_seek_frame(format, stream, 0, avformat.AVSEEK_FLAG_BACKWARD));
            do {
                avcodec.av_packet_unref(packet);
                require(avformat.av_read_frame(format, packet));
            } while (packet.stream_index() != stream);
            require(avcodec.avcodec_send_packet(context, packet));
            require(avcodec.avcodec_receive_frame(context, frame));
            whole = true;
            AVCodecParameters declared = format.streams(stream).codecpar();
            if (declared.color_space() != avutil.AVCOL_SPC_UNSPECIFIED) { // what the container says wins
                frame.colorspace(declared.color_space()).color_range(declared.color_range());
            }
            return frame;
        } finally {
            avcodec.av_packet_free(packet);
            avcodec.avcodec_free_context(context);
            if (!whole) {
                avutil.av_frame_free(frame);
            }
        }
    }

    private static void require(int result) throws IOException {
        if (result < 0) {
            byte[] reason = new byte[avutil.AV_ERROR_MAX_STRING_SIZE];
            avutil.av_strerror(result, reason, reason.length);
            int end = 0;
            while (end < reason.length && reason[end] != 0) {
                end++;
            }
            throw new IOException(new String(reason, 0, end, StandardCharsets.ISO_8859_1));
        }
    }
}
