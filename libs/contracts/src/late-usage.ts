/** How long after a period's end its usage may still arrive in time: drafts wait it, expired credits are kept for it. */
export const LATE_USAGE_WINDOW_MS = 3_600_000;
