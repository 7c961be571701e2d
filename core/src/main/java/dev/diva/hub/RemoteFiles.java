package dev.diva.hub;

import dev.diva.BadInputException;
import dev.diva.hub.Web.Patience;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** The files behind addresses that this process reads, and the cache in which it keeps parts of them. */
public final class RemoteFiles {
    /** Most bytes of the cache unless another number is given. */
    public static final long DEFAULT_BYTES = 50_000_000_000L;

    private static final Patience PATIENCE = new Patience(8, 500); // 63 seconds
    private static final int BLOCK = 8 << 20;
    private static volatile RemoteSource others; // null where nobody reads them
    private static volatile RemoteFiles shared = of(System.getenv(), defaultFolder(), DEFAULT_BYTES);

    private final Map<String, String> environment;
    private final DiskCache cache;
    private final int block;
    private final Patience patience;
    private final Map<String, RemoteFile> files = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();
    private RemoteSource http; // null until it is asked for, as is the other
    private RemoteSource s3;

    /** @param block bytes that are asked for and kept at once */
    RemoteFiles(Map<String, String> environment, DiskCache cache, int block, Patience patience) {
        this.environment = environment;
        this.cache = cache;
        this.block = block;
        this.patience = patience;
    }

    private static RemoteFiles of(Map<String, String> environment, Path folder, long bytes) {
        return new RemoteFiles(environment, new DiskCache(folder, bytes), BLOCK, PATIENCE);
    }

    /** {@code diva/data} in the user's cache. */
    public static Path defaultFolder() {
        return HubCache.home(System.getenv()).resolveSibling("diva").resolve("data");
    }

    /** From now on keeps parts in another folder, or another number of bytes. */
    public static void use(Path folder, long bytes) {
        if (!shared.cache.folder().equals(folder) || shared.cache.limit() != bytes) {
            shared = of(System.getenv(), folder, bytes);
        }
    }

    /** From now on addresses that are neither of the web nor {@code s3://} are read by this. */
    public static void others(RemoteSource source) {
        others = source;
    }

    /** Where parts are kept. */
    public static Path folder() {
        return shared.cache.folder();
    }

    /** Most bytes that are kept. */
    public static long limit() {
        return shared.cache.limit();
    }

    /**
     * The addresses of files that begin like that, in any order.
     *
     * @param deep whether of files in folders below too; else these folders are told, with a slash at the end
     * @throws BadInputException when there is no such place, it is refused, or there are more than a million
     */
    public static List<String> list(String start, boolean deep) {
        List<String> files = shared.source(start).list(start, deep);
        if (files.size() > RemoteSource.MOST) {
            throw new BadInputException(
                    Address.withoutSecrets(start) + ": more than " + RemoteSource.MOST + " files begin so; name fewer");
        }
        return files;
    }

    /** The file behind an address; nothing is asked for yet. */
    public static RemoteFile at(String address) {
        return shared.file(address);
    }

    RemoteFile file(String address) {
        return files.computeIfAbsent(address, key -> new RemoteFile(this, key));
    }

    /** Who is asked for it. */
    synchronized RemoteSource source(String address) {
        if (Address.isS3(address)) {
            s3 = s3 == null ? new S3Source(environment, patience) : s3;
            return s3;
        }
        if (Address.isWeb(address)) {
            http = http == null ? new HttpSource(environment, new Web(environment, patience)) : http;
            return http;
        }
        if (others == null) {
            throw new BadInputException(Address.withoutSecrets(address)
                    + ": what is read is http://, https:// and s3://, and by the jobs for Spark what Hadoop reads");
        }
        return others;
    }

    DiskCache cache() {
        return cache;
    }

    int block() {
        return block;
    }

    Patience patience() {
        return patience;
    }

    /** A file of so many bytes is read as well. */
    void count(long size) {
        bytes.addAndGet(size);
    }

    /** Whether everything that is read can be in the cache at once. */
    boolean fit() {
        return cache.holds(bytes.get());
    }
}
