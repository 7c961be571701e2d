package dev.diva.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Bytes of an answer. A server that falls silent in the middle is an error like a cut connection; Java's client would wait for ever. */
final class PatientBody extends FilterInputStream {
    private static final ScheduledExecutorService CLOCK = clock();

    private final Duration silence;
    private volatile boolean isSilent;

    PatientBody(InputStream in, Duration silence) {
        super(in);
        this.silence = silence;
    }

    private static ScheduledExecutorService clock() {
        ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "diva-silence");
            thread.setDaemon(true);
            return thread;
        });
        clock.setRemoveOnCancelPolicy(true); // else every read would lie there until its time is over
        return clock;
    }

    /** Bodies that wait so long for each part. */
    static HttpResponse.BodyHandler<InputStream> handler(Duration silence) {
        return answer -> HttpResponse.BodySubscribers.mapping(
                HttpResponse.BodySubscribers.ofInputStream(), in -> new PatientBody(in, silence));
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        Future<?> end = CLOCK.schedule(this::giveUp, silence.toMillis(), TimeUnit.MILLISECONDS);
        try {
            int count = super.read(buffer, offset, length);
            requireSound();
            return count;
        } catch (IOException e) {
            requireSound();
            throw e;
        } finally {
            end.cancel(false);
        }
    }

    private void giveUp() {
        isSilent = true;
        try {
            in.close(); // wakes the reader
        } catch (IOException e) {
            // it is given up in any case
        }
    }

    private void requireSound() throws IOException {
        if (isSilent) {
            throw new HttpTimeoutException("the server sent nothing for " + silence.toSeconds() + " s");
        }
    }
}
