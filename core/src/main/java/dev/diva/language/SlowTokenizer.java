package dev.diva.language;

import ai.djl.sentencepiece.SpTokenizer;
import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * transformers' LlamaTokenizer over sentencepiece: a text is cut at the special tokens in it and the parts are tokenised apart. With {@code legacy}
 * each part gets a blank in front, without it the whole text gets one.
 */
final class SlowTokenizer implements LlamaTokenizer {
    private static final String BLANK = "\u2581";

    private final boolean isLegacy;
    private final boolean addsPrefixSpace;
    private final boolean addsBegin;
    private final boolean addsEnd;
    private final List<String> pieces;
    private final SpTokenizer library;
    private final Map<String, AddedToken> added;
    private final Map<String, Long> ids = new HashMap<>();
    private final Set<Long> special = new HashSet<>();
    private final Pattern cuts;
    private final String unknown;
    private final int unknownLength;
    private final long beginId;
    private final long endId;

    SlowTokenizer(TokenizerFiles files) {
        SentencePieceModel model = SentencePieceModel.read(files.model());
        this.isLegacy = files.isLegacy();
        this.addsPrefixSpace = files.addsPrefixSpace();
        this.addsBegin = files.config().flag("add_bos_token", true);
        this.addsEnd = files.config().flag("add_eos_token", false);
        this.pieces = model.pieces();
        this.added = files.addedTokens();
        for (int id = pieces.size() - 1; id >= 0; id--) {
            ids.put(pieces.get(id), (long) id);
        }
        for (String token : files.specialTokens()) {
            Long id = ids.get(token);
            if (id != null) {
                added.putIfAbsent(token, new AddedToken(token, id, false, false, true));
            }
        }
        added.values().forEach(token -> ids.put(token.content(), token.id()));
        added.values().stream().filter(AddedToken::isSpecial).forEach(token -> special.add(token.id()));
        this.cuts = Pattern.compile(added.values().stream()
                .sorted(Comparator.comparingInt(
                                (AddedToken token) -> token.content().length())
                        .reversed())
                .map(token -> (token.stripsLeft() ? "\\s*" : "") + "(" + Pattern.quote(token.content()) + ")"
                        + (token.stripsRight() ? "\\s*" : ""))
                .collect(Collectors.joining("|")));
        this.unknown = files.token("unk_token", TokenizerFiles.defaultToken("unk_token"));
        this.beginId = required(files, "bos_token");
        this.endId = required(files, "eos_token");
        this.library = open(files, isLegacy ? model.file() : model.withoutDummyPrefix());
        this.unknownLength = pieceIds(unknown).length;
    }

    private static SpTokenizer open(TokenizerFiles files, byte[] model) {
        try {
            return new SpTokenizer(model);
        } catch (RuntimeException e) {
            throw new BadInputException(files.model() + ": tokenizer cannot be read: " + e.getMessage(), e);
        }
    }

    private long required(TokenizerFiles files, String role) {
        String token = files.token(role, TokenizerFiles.defaultToken(role));
        return idOf(token)
                .orElseThrow(
                        () -> new BadInputException(files.model() + ": has no token \"" + token + "\", the " + role));
    }

    @Override
    public long[] encode(String text) {
        List<Long> tokens = new ArrayList<>();
        if (isLegacy || text.isEmpty()) {
            tokens.addAll(parts(text));
        } else {
            String plain = text.replace(BLANK, " ");
            tokens.addAll(parts(addsPrefixSpace ? BLANK + plain : plain));
            Long blank = ids.get(BLANK);
            if (tokens.size() > 1 && tokens.get(0).equals(blank) && special.contains(tokens.get(1))) {
                tokens.remove(0);
            }
        }
        if (addsBegin) {
            tokens.add(0, beginId);
        }
        if (addsEnd) {
            tokens.add(endId);
        }
        return tokens.stream().mapToLong(Long::longValue).toArray();
    }

    private List<Long> parts(String text) {
        List<Long> tokens = new ArrayList<>();
        int from = 0;
        Matcher matcher = cuts.matcher(text);
        while (!added.isEmpty() && matcher.find()) {
            addPieces(text.substring(from, matcher.start()), tokens);
            for (int group = 1; group <= matcher.groupCount(); group++) {
                if (matcher.group(group) != null) {
                    tokens.add(added.get(matcher.group(group)).id());
                }
            }
            from = matcher.end();
        }
        addPieces(text.substring(from), tokens);
        return tokens;
    }

    private void addPieces(String text, List<Long> tokens) {
        if (text.isEmpty()) {
            return;
        }
        // Without its own prefix sentencepiece would drop a blank at the start; behind another token it stays.
        boolean isGuarded = !isLegacy && (text.startsWith(BLANK) || text.startsWith(" "));
        int[] found = isGuarded ? pieceIds(unknown + text) : pieceIds(text);
        int skipped = isGuarded && found.length >= unknownLength ? unknownLength : 0;
        Arrays.stream(found).skip(skipped).forEach(id -> tokens.add((long) id));
    }

    private int[] pieceIds(String text) {
        return library.getProcessor().encode(text);
    }

    @Override
    public String decode(long... tokens) {
        PieceText text = new PieceText();
        for (long id : tokens) {
            if (!special.contains(id)) {
                text.add(id < pieces.size() ? pieces.get((int) id) : addedText(id));
            }
        }
        String decoded = text.toString();
        return addsPrefixSpace && decoded.startsWith(" ") ? decoded.substring(1) : decoded;
    }

    private String addedText(long id) {
        return added.values().stream()
                .filter(token -> token.id() == id)
                .map(AddedToken::content)
                .findFirst()
                .orElse("");
    }

    @Override
    public boolean restartsBehindSpecial() {
        return isLegacy;
    }

    @Override
    public OptionalLong idOf(String token) {
        Long id = ids.get(token);
        return id == null ? OptionalLong.empty() : OptionalLong.of(id);
    }

    @Override
    public long endId() {
        return endId;
    }

    @Override
    public long size() {
        return ids.values().stream().mapToLong(Long::longValue).max().orElse(-1) + 1;
    }

    @Override
    public void close() {
        library.close();
    }
}
