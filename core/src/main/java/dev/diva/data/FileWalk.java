package dev.diva.data;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** All that is below a folder, links followed as torchvision follows them; what is hidden by its name, and {@code __MACOSX}, is left out. */
final class FileWalk extends SimpleFileVisitor<Path> {
    private final Path root;
    private final boolean withHidden;
    private final Consumer<DataProblem> problems;
    private final List<Path> files = new ArrayList<>();
    private final List<Path> folders = new ArrayList<>();

    private FileWalk(Path root, boolean withHidden, Consumer<DataProblem> problems) {
        this.root = root;
        this.withHidden = withHidden;
        this.problems = problems;
    }

    /**
     * Walks a folder.
     *
     * @param depth levels of folders, 1 for what lies in this one alone
     * @param withHidden whether hidden names count too
     * @param problems told of links that lead nowhere or back to a folder above them
     * @throws BadInputException when a folder cannot be listed
     */
    static FileWalk of(Path folder, int depth, boolean withHidden, Consumer<DataProblem> problems) {
        FileWalk walk = new FileWalk(folder, withHidden, problems);
        try {
            Files.walkFileTree(folder, Set.of(FileVisitOption.FOLLOW_LINKS), depth, walk);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e, e);
        }
        return walk;
    }

    /** Files in the order of their paths. */
    List<Path> files() {
        return files.stream().sorted().toList();
    }

    /** Files and folders in the order of their paths. */
    List<Path> all() {
        List<Path> all = new ArrayList<>(folders);
        all.addAll(files);
        return all.stream().sorted().toList();
    }

    /** Whether a name, of a file or of a folder, says that it is not for users: {@code .git}, {@code ._0.jpg} of macOS. */
    static boolean isHidden(String name) {
        return (name.startsWith(".") && !name.equals(".") && !name.equals("..")) || name.equals("__MACOSX");
    }

    private boolean isLeftOut(Path path) {
        return !withHidden && isHidden(path.getFileName().toString());
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
        if (!folder.equals(root) && isLeftOut(folder)) {
            return FileVisitResult.SKIP_SUBTREE;
        }
        if (!folder.equals(root)) {
            if (leadsUp(folder)) {
                tellLoop(folder);
                return FileVisitResult.SKIP_SUBTREE;
            }
            folders.add(folder);
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
        if (isLeftOut(file)) {
            return FileVisitResult.CONTINUE;
        }
        if (attributes.isSymbolicLink()) { // one that could be followed has the attributes of its target
            problems.accept(new DataProblem(
                    file.toString(), "a link to " + Files.readSymbolicLink(file) + ", which is not there"));
        } else if (attributes.isRegularFile()) {
            files.add(file);
        } else if (attributes.isDirectory()) { // at the last level
            folders.add(file);
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
        if (failure instanceof FileSystemLoopException) {
            tellLoop(file);
            return FileVisitResult.CONTINUE;
        }
        throw failure;
    }

    /** Whether it is a link to a folder that it lies in itself, even above the walked one. */
    private static boolean leadsUp(Path folder) throws IOException {
        return Files.isSymbolicLink(folder)
                && folder.toAbsolutePath().getParent().toRealPath().startsWith(folder.toRealPath());
    }

    private void tellLoop(Path link) throws IOException {
        problems.accept(
                new DataProblem(link.toString(), "a link back to " + link.toRealPath() + ", not followed again"));
    }
}
