/**
 * patience is how long a walk waits for what must come, on a page or from a server, in milliseconds: as long as a machine that is
 * full may take. Whatever is there goes on at once, so a quiet machine pays nothing for it.
 */
export const patience = 90_000
