package dev.diva.mllm.train;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import dev.diva.mllm.PromptTemplate;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * LLaVA's data: a JSON list of {@code {id, image?, conversations}}. Read once from its beginning to its end; what stays in memory is where each
 * sample lies, so that a file may be larger than memory. Thread safe.
 */
final class ConversationFile implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BUFFER = 1 << 16;

    private final Path file;
    private final Path images;
    private final PromptTemplate template;
    private final FileChannel channel;
    private final List<Place> places = new ArrayList<>();
    private final Map<Integer, String> unusable = new LinkedHashMap<>();
    private final List<String> repeated = new ArrayList<>();

    /** Where a sample lies in the file. */
    private record Place(long from, int bytes, int length) {}

    private ConversationFile(Path file, Path images, PromptTemplate template) throws IOException {
        this.file = file;
        this.template = template;
        this.images = images.toAbsolutePath().normalize();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER);
                JsonParser parser = JSON.createParser(in)) {
            index(parser);
        }
        this.channel = FileChannel.open(file);
    }

    /**
     * Reads a file, and looks for every image.
     *
     * @param images folder that the paths in it begin at
     * @param template that the conversations are to fit
     * @throws BadInputException when it is cut short or no such list; samples that cannot be used alone are {@link #unusable}
     */
    static ConversationFile open(Path file, Path images, PromptTemplate template) {
        try {
            return new ConversationFile(file, images, template);
        } catch (NoSuchFileException e) {
            throw new BadInputException(file + ": no such file", e);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private void index(JsonParser parser) throws IOException {
        Set<String> ids = new HashSet<>();
        try {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw new BadInputException(file + ": expected a list of samples, LLaVA's data");
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                long from = parser.currentTokenLocation().getByteOffset();
                JsonNode sample = JSON.readTree(parser);
                long to = parser.currentLocation().getByteOffset();
                add(sample, from, to, ids);
            }
        } catch (JsonProcessingException e) {
            Placeholder.refuse(file);
            throw new BadInputException(
                    file + ": no whole JSON after " + places.size() + " samples (cut short?): "
                            + e.getOriginalMessage().lines().findFirst().orElse(""),
                    e);
        }
        if (places.isEmpty()) {
            throw new BadInputException(file + ": holds no sample");
        }
    }

    private void add(JsonNode sample, long from, long to, Set<String> ids) {
        int index = places.size();
        places.add(new Place(from, Math.toIntExact(to - from), Conversation.length(sample)));
        String id = sample.path("id").asText();
        if (!id.isEmpty() && !ids.add(id)) {
            repeated.add("sample " + (index + 1) + " (" + id + ")");
        }
        try {
            Conversation conversation = Conversation.read(sample);
            Labelling.requireFit(template, conversation);
            if (conversation.image() != null) {
                requireImage(conversation.image());
            }
        } catch (Conversation.Unusable e) {
            unusable.put(index, e.getMessage());
        }
    }

    private void requireImage(String image) throws Conversation.Unusable {
        Path path;
        try {
            path = images.resolve(image).normalize();
        } catch (InvalidPathException e) {
            throw new Conversation.Unusable("image \"" + image + "\" is no file name");
        }
        if (image.isEmpty() || !path.startsWith(images)) {
            throw new Conversation.Unusable("image \"" + image + "\" is not inside " + images);
        }
        if (!Files.isRegularFile(path)) {
            throw new Conversation.Unusable("image " + image + " is not in " + images);
        }
    }

    Path path() {
        return file;
    }

    int size() {
        return places.size();
    }

    /** Words of each sample, negative without an image. */
    int[] lengths() {
        return places.stream().mapToInt(Place::length).toArray();
    }

    /** Why some samples cannot be used, by index. */
    Map<Integer, String> unusable() {
        return unusable;
    }

    /** Samples whose id an earlier one has. */
    List<String> repeated() {
        return repeated;
    }

    /** What messages call a sample. */
    String name(int index) {
        String id = node(index).path("id").asText();
        return file.getFileName() + " sample " + (index + 1) + (id.isEmpty() ? "" : " (" + id + ")");
    }

    /** Where the image of a usable sample lies. */
    Path image(Conversation conversation) {
        return images.resolve(conversation.image()).normalize();
    }

    /** A sample that is not among {@link #unusable}. */
    Conversation at(int index) {
        try {
            return Conversation.read(node(index));
        } catch (Conversation.Unusable e) {
            throw new BadInputException(
                    file + ": was changed meanwhile: sample " + (index + 1) + " " + e.getMessage(), e);
        }
    }

    private JsonNode node(int index) {
        Place place = places.get(index);
        ByteBuffer bytes = ByteBuffer.allocate(place.bytes());
        try {
            int read = 0;
            while (read >= 0 && bytes.hasRemaining()) {
                read = channel.read(bytes, place.from() + bytes.position());
            }
            return JSON.readTree(bytes.array());
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be closed: " + e.getMessage(), e);
        }
    }
}
