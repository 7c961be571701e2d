package dev.diva.hub;

import dev.diva.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProviderChain;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.CommonPrefix;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects of S3 and of what speaks its language, by the client of AWS: credentials and region by its default chains (environment, {@code
 * ~/.aws}, roles), without credentials as anybody; another server by {@code AWS_ENDPOINT_URL_S3} or {@code AWS_ENDPOINT_URL}.
 */
final class S3Source implements RemoteSource {
    private final S3Client client;
    private final Web.Patience patience;

    S3Source(Map<String, String> environment, Web.Patience patience) {
        this.patience = patience;
        S3ClientBuilder builder = S3Client.builder()
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .credentialsProvider(AwsCredentialsProviderChain.of(
                        DefaultCredentialsProvider.builder().build(), AnonymousCredentialsProvider.create()))
                .region(region())
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED); // parts have no sum
        String endpoint = Stream.of("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
                .map(name -> environment.getOrDefault(name, ""))
                .filter(value -> !value.isBlank())
                .findFirst()
                .orElse(null);
        if (endpoint == null) {
            builder.crossRegionAccessEnabled(true);
        } else {
            builder.endpointOverride(endpoint(endpoint)).forcePathStyle(true);
        }
        this.client = builder.build();
    }

    private static URI endpoint(String given) {
        URI uri = URI.create(given.strip());
        if (uri.getHost() == null) {
            throw new BadInputException(
                    "AWS_ENDPOINT_URL is \"" + given + "\", expected an address such as https://HOST:9000");
        }
        return uri;
    }

    private static Region region() {
        try {
            return DefaultAwsRegionProviderChain.builder().build().getRegion();
        } catch (SdkException e) {
            return Region.US_EAST_1; // from where the others are found
        }
    }

    /**
     * Where an object lies.
     *
     * @param key empty for all of the bucket
     */
    private record Place(String bucket, String key) {
        private static final Pattern ADDRESS = Pattern.compile("(?i)s3://([a-z0-9][a-z0-9._-]*)/(.*)", Pattern.DOTALL);

        static Place of(String address) {
            Matcher place = ADDRESS.matcher(address);
            if (!place.matches()) {
                throw new BadInputException(address + ": expected s3://BUCKET/KEY");
            }
            return new Place(place.group(1), place.group(2));
        }
    }

    @Override
    public Answer get(String address, long from, long count) {
        Place place = Place.of(address);
        if (place.key.isEmpty()) {
            throw new BadInputException(address + ": expected s3://BUCKET/KEY");
        }
        try {
            return tried(
                    address,
                    () -> answer(client.getObject(request -> request.bucket(place.bucket)
                            .key(place.key)
                            .range("bytes=" + from + "-" + (from + count - 1)))));
        } catch (S3Exception e) {
            if (e.statusCode() == 416) {
                return Answer.beyond(0);
            }
            throw refused(address, e);
        }
    }

    @Override
    public List<String> list(String start, boolean deep) {
        Place place = Place.of(start);
        try {
            String bucket = start.substring(0, start.length() - place.key.length());
            return tried(
                    start,
                    () -> client
                            .listObjectsV2Paginator(request -> request.bucket(place.bucket)
                                    .prefix(place.key)
                                    .delimiter(deep ? null : "/"))
                            .stream()
                            .flatMap(S3Source::names)
                            .limit(MOST + 1L)
                            .map(key -> bucket + key)
                            .toList());
        } catch (S3Exception e) {
            throw refused(start, e);
        }
    }

    /** Objects of a page, but those that stand for folders that somebody made, and the folders below. */
    private static Stream<String> names(ListObjectsV2Response page) {
        return Stream.concat(
                page.contents().stream().map(S3Object::key).filter(key -> !key.endsWith("/")),
                page.commonPrefixes().stream().map(CommonPrefix::prefix));
    }

    /** Asks again while the store is busy or the connection breaks. */
    private <T> T tried(String address, Supplier<T> request) {
        for (int attempt = 1; ; attempt++) {
            try {
                return request.get();
            } catch (S3Exception e) {
                if (attempt == patience.tries() || (e.statusCode() != 429 && e.statusCode() < 500)) {
                    throw e;
                }
            } catch (SdkException e) {
                if (attempt == patience.tries()) {
                    throw new UncheckedIOException(new IOException(address + ": no answer: " + e.getMessage(), e));
                }
            }
            patience.pause(attempt);
        }
    }

    private static Answer answer(ResponseInputStream<GetObjectResponse> bytes) {
        GetObjectResponse response = bytes.response();
        String range = response.contentRange();
        String version = response.eTag() == null ? "" : response.eTag();
        return range == null
                ? new Answer(response.contentLength(), version, true, bytes)
                : new Answer(Long.parseLong(range.substring(range.indexOf('/') + 1)), version, false, bytes);
    }

    private static RuntimeException refused(String address, S3Exception e) {
        String reason = e.awsErrorDetails() == null || e.awsErrorDetails().errorCode() == null
                ? "code " + e.statusCode()
                : e.awsErrorDetails().errorCode();
        return switch (e.statusCode()) {
            case 404 ->
                new MissingFileException(
                        address + ": no such object (" + reason + "); the name of a folder ends with /");
            case 400, 401, 403 ->
                new BadInputException(
                        address + ": the store refuses it (" + reason
                                + "); looked for credentials in AWS_ACCESS_KEY_ID,"
                                + " the profile " + System.getenv().getOrDefault("AWS_PROFILE", "default")
                                + " of ~/.aws, and roles of the container or machine",
                        e);
            default ->
                new UncheckedIOException(
                        new IOException(address + ": the store answers " + e.statusCode() + " (" + reason + ")", e));
        };
    }
}
