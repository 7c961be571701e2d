package dev.diva.spark;

import dev.diva.BadInputException;
import dev.diva.hub.MissingFileException;
import dev.diva.hub.RemoteFiles;
import dev.diva.hub.RemoteSource;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/** What Hadoop reads, {@code hdfs://}, {@code s3a://} and whatever else it has a file system for, as Spark is configured for it. */
final class HadoopSource implements RemoteSource {
    private final Configuration configuration;

    private HadoopSource(Configuration configuration) {
        this.configuration = configuration;
    }

    /** From now on this process reads addresses so. */
    static void use() {
        SparkConf conf = SparkEnv.get() == null
                ? new SparkConf()
                : SparkEnv.get().conf(); // spark-submit's are there before a context
        RemoteFiles.others(new HadoopSource(SparkHadoopUtil.get().newConfiguration(conf)));
    }

    @Override
    public Answer get(String address, long from, long count) {
        return tried(address, (files, path) -> {
            FileStatus file = files.getFileStatus(path);
            if (file.isDirectory()) {
                throw new BadInputException(address + ": a folder; its name has to end with /");
            }
            if (from >= file.getLen()) {
                return Answer.beyond(file.getLen());
            }
            byte[] bytes = new byte[(int) Math.min(count, file.getLen() - from)];
            try (FSDataInputStream in = files.open(path)) {
                in.readFully(from, bytes);
            }
            String version = Long.toString(file.getModificationTime());
            return new Answer(file.getLen(), version, false, new ByteArrayInputStream(bytes));
        });
    }

    @Override
    public List<String> list(String start, boolean deep) {
        String folder = start.substring(0, start.lastIndexOf('/') + 1);
        return tried(folder, (files, path) -> {
            String root = files.makeQualified(path).toString();
            List<String> found = new ArrayList<>();
            RemoteIterator<? extends FileStatus> all =
                    deep ? files.listFiles(path, true) : files.listStatusIterator(path);
            while (all.hasNext() && found.size() <= MOST) {
                FileStatus file = all.next();
                String name = file.getPath().toString().substring(root.length()).replaceFirst("^/", "");
                if ((folder + name).startsWith(start)) {
                    found.add(folder + name + (file.isDirectory() ? "/" : ""));
                }
            }
            return found;
        });
    }

    private interface Work<T> {
        T on(FileSystem files, Path path) throws IOException;
    }

    /** Hadoop's clients try again by themselves. */
    private <T> T tried(String address, Work<T> work) {
        try {
            Path path = new Path(address);
            return work.on(path.getFileSystem(configuration), path);
        } catch (FileNotFoundException e) {
            throw new MissingFileException(address + ": no such file or folder");
        } catch (AccessControlException | UnsupportedFileSystemException | IllegalArgumentException e) {
            throw new BadInputException(address + ": Hadoop cannot read it: " + firstLine(e), e);
        } catch (IOException e) {
            throw new UncheckedIOException(new IOException(address + ": " + firstLine(e), e));
        }
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
