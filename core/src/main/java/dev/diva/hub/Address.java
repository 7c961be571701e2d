package dev.diva.hub;

import java.util.Locale;
import java.util.regex.Pattern;

/** Addresses of files: {@code https://}, {@code s3://} and whatever else has a scheme. What signs one is for its server alone and never shown. */
public final class Address {
    private static final Pattern SCHEME = Pattern.compile("(?i)[a-z][a-z0-9+.-]+://.*"); // one letter is a drive
    private static final Pattern WEB = Pattern.compile("(?i)https?://.*");
    private static final String START = "(?i)((?:https?|s3[an]?)://)";
    private static final Pattern LOGIN = Pattern.compile(START + "[^/?#@\\s]*@");
    private static final String SECRET = "(?:x-[a-z]+-[^=&\\s]*"
            + "|[^=&?\\s]*(?:token|signature|secret|passw|credential|access_?key|api_?-?key|policy|expires|key-pair-id)[^=&\\s]*"
            + "|sig|sign|key|auth)";
    private static final Pattern SIGNED = Pattern.compile("(?i)(?<=[?&])" + SECRET + "=(?:(?!::|&|#)\\S)*&?");
    private static final Pattern LAST = Pattern.compile("[?&]+(?=$|\\s|::|#)");

    private Address() {}

    /** Whether a text is one. */
    public static boolean is(String text) {
        return SCHEME.matcher(text).matches();
    }

    /** Whether one is of a web server, which has queries and does not tell what files it has. */
    public static boolean isWeb(String address) {
        return WEB.matcher(address).matches();
    }

    /** Whether one is of an object store. */
    static boolean isS3(String address) {
        return address.regionMatches(true, 0, "s3:", 0, 3);
    }

    /** What a text with addresses in it may be shown as: logins, signatures and tokens are left out. */
    public static String withoutSecrets(String text) {
        if (!text.contains("://")) {
            return text;
        }
        String noLogin = LOGIN.matcher(text).replaceAll("$1");
        return LAST.matcher(SIGNED.matcher(noLogin).replaceAll("")).replaceAll("");
    }

    /** The part in front of the query, by whose suffix a file is known, in lower case. */
    public static String lowerPath(String address) {
        String path = isWeb(address) ? address.replaceFirst("[?#].*", "") : address;
        return path.toLowerCase(Locale.ROOT);
    }
}
