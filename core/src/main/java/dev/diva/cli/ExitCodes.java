package dev.diva.cli;

/** Exit codes of the command beside picocli's own. */
final class ExitCodes {
    static final int WORK_FAILED = 1;
    static final int BAD_INPUT = 3;
    /** Stopped by a signal with everything saved: start again with --resume. EX_TEMPFAIL of sysexits.h. */
    static final int RESUMABLE = 75;

    private ExitCodes() {}
}
