package dev.diva.data;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/** Further names that a tar has for its files: links, of both kinds. Names are compared, no path of the disk is looked at. */
final class TarLinks {
    private static final int MOST_HOPS = 40; // a link to a link; loops end here

    private final DataFile tar;
    private final List<Link> links = new ArrayList<>();

    /** @param before how many files stand before it in the tar */
    private record Link(String name, String target, int before) {}

    TarLinks(DataFile tar) {
        this.tar = tar;
    }

    /** The target of a symbolic link is relative to the link's folder, that of a hard link to the tar. */
    void add(TarArchiveEntry entry, int before) {
        String target = entry.getLinkName();
        int folder = entry.getName().lastIndexOf('/') + 1;
        boolean isRelative = entry.isSymbolicLink() && !target.startsWith("/");
        links.add(
                new Link(entry.getName(), isRelative ? entry.getName().substring(0, folder) + target : target, before));
    }

    /** The files, and in their places the links to them; a link to anything else is a problem. */
    List<TarIndex.Member> resolve(List<TarIndex.Member> files, Consumer<DataProblem> problems) {
        Map<String, String> targets = new HashMap<>();
        links.forEach(link -> targets.putIfAbsent(plain(link.name), plain(link.target)));
        Map<String, ImageEntry> entries = new HashMap<>();
        if (!links.isEmpty()) {
            files.forEach(file -> entries.put(plain(file.name()), file.entry()));
        }
        List<TarIndex.Member> all = new ArrayList<>();
        int next = 0;
        for (Link link : links) {
            all.addAll(files.subList(next, link.before));
            next = link.before;
            String target = plain(link.target);
            for (int hops = 0; hops < MOST_HOPS && targets.containsKey(target); hops++) {
                target = targets.get(target);
            }
            ImageEntry entry = entries.get(target);
            String name = tar + "!" + link.name;
            if (entry == null) {
                problems.accept(new DataProblem(name, "a link to " + link.target + ", which is no file of the tar"));
            } else {
                all.add(new TarIndex.Member(link.name, new ImageEntry(name, tar, entry.offset(), entry.length())));
            }
        }
        all.addAll(files.subList(next, files.size()));
        return all;
    }

    /** A name without . and .. in it. */
    private static String plain(String name) {
        List<String> parts = new ArrayList<>();
        for (String part : name.split("/")) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.remove(parts.size() - 1);
            } else if (!part.equals(".") && !part.isEmpty()) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }
}
