package dev.diva.data;

import dev.diva.BadInputException;
import dev.diva.Placeholder;
import java.nio.charset.StandardCharsets;

/** Format and size of an image as its first bytes declare them, read before anything is decoded or allocated. */
record ImageHeader(Format format, int width, int height) {
    /** Image formats that are read, told apart by their first bytes. */
    enum Format {
        JPEG,
        PNG,
        WEBP,
        GIF,
        BMP,
        TIFF,
        AVIF,
        PNM
    }

    /**
     * @throws BadInputException naming the image, for an unknown format or a header without a size
     */
    static ImageHeader read(byte[] file, String name) {
        if (file.length == 0) {
            throw new BadInputException(name + ": the file is empty");
        }
        try {
            ImageHeader header = parse(new Bytes(file), name);
            if (header.width < 1 || header.height < 1) {
                throw new BadInputException(
                        name + ": the header declares " + header.width + "x" + header.height + " pixels");
            }
            return header;
        } catch (IndexOutOfBoundsException e) {
            throw new BadInputException(name + ": the file ends inside the image header", e);
        }
    }

    private static ImageHeader parse(Bytes in, String name) {
        if (in.startsWith(0, 0xff, 0xd8, 0xff)) {
            JpegHeader jpeg = JpegHeader.read(in, name);
            return new ImageHeader(Format.JPEG, jpeg.width(), jpeg.height());
        }
        if (in.startsWith(0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n') && in.startsWith(12, 'I', 'H', 'D', 'R')) {
            return new ImageHeader(Format.PNG, in.bigInt(16), in.bigInt(20));
        }
        if (in.startsWith(0, 'R', 'I', 'F', 'F') && in.startsWith(8, 'W', 'E', 'B', 'P')) {
            return webp(in, name);
        }
        if (in.startsWith(0, 'G', 'I', 'F', '8')) {
            GifHeader gif = GifHeader.read(in);
            return new ImageHeader(Format.GIF, gif.width(), gif.height());
        }
        if (in.startsWith(0, 'B', 'M') && in.little(14, 4) >= 12) {
            boolean old = in.little(14, 4) == 12;
            return new ImageHeader(
                    Format.BMP, in.little(18, old ? 2 : 4), Math.abs(in.little(old ? 20 : 22, old ? 2 : 4)));
        }
        if (in.startsWith(0, 'I', 'I', 42, 0) || in.startsWith(0, 'M', 'M', 0, 42)) {
            int end = in.data().length;
            return new ImageHeader(Format.TIFF, Exif.value(in, 0, end, 0x100), Exif.value(in, 0, end, 0x101));
        }
        if (AvifHeader.matches(in)) {
            return AvifHeader.read(in);
        }
        if (in.startsWith(0, 'P', '5') || in.startsWith(0, 'P', '6')) {
            return pnm(in, name);
        }
        Placeholder.words(in.data()).ifPresent(words -> {
            throw new BadInputException(name + ": " + words);
        });
        throw new BadInputException(name + ": not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or PNM image; it starts with "
                + new String(in.data(), 0, Math.min(8, in.data().length), StandardCharsets.ISO_8859_1)
                        .replaceAll("[^ -~]", "?"));
    }

    private static ImageHeader webp(Bytes in, String name) {
        String kind = new String(in.data(), 12, 4, StandardCharsets.ISO_8859_1);
        return switch (kind) {
            case "VP8X" -> new ImageHeader(Format.WEBP, in.little(24, 3) + 1, in.little(27, 3) + 1);
            case "VP8L" -> {
                int bits = in.little(21, 4);
                yield new ImageHeader(Format.WEBP, (bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1);
            }
            case "VP8 " -> new ImageHeader(Format.WEBP, in.little(26, 2) & 0x3fff, in.little(28, 2) & 0x3fff);
            default ->
                throw new BadInputException(name + ": an unknown kind of WebP: " + kind.replaceAll("[^ -~]", "?"));
        };
    }

    /** Width, height and the largest value, behind the two letters and between spaces and comments. */
    private static ImageHeader pnm(Bytes in, String name) {
        int[] numbers = new int[3];
        int at = 2;
        for (int i = 0; i < 3; i++) {
            while (!Character.isDigit(in.at(at))) {
                if (in.at(at++) == '#') {
                    while (in.at(at) != '\n') {
                        at++;
                    }
                }
            }
            for (; Character.isDigit(in.at(at)) && numbers[i] < 100_000_000; at++) {
                numbers[i] = numbers[i] * 10 + in.at(at) - '0';
            }
        }
        if (numbers[2] != 255) {
            throw new BadInputException(name + ": a PNM image with values up to " + numbers[2] + "; 255 is read");
        }
        return new ImageHeader(Format.PNM, numbers[0], numbers[1]);
    }

    /** Whole numbers and patterns at places of a file. */
    record Bytes(byte[] data) {
        int at(int index) {
            return data[index] & 0xff;
        }

        boolean startsWith(int from, int... pattern) {
            for (int i = 0; i < pattern.length; i++) {
                if (from + i >= data.length || at(from + i) != pattern[i]) {
                    return false;
                }
            }
            return true;
        }

        int big(int from) {
            return at(from) << 8 | at(from + 1);
        }

        int bigInt(int from) {
            return big(from) << 16 | big(from + 2);
        }

        int little(int from, int count) {
            int value = 0;
            for (int i = count - 1; i >= 0; i--) {
                value = value << 8 | at(from + i);
            }
            return value;
        }
    }
}
