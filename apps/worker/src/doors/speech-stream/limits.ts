/** Of `session.config`, which may bring a clip as base64. */
export const MAX_CONFIG_MESSAGE_BYTES = 20 * 1024 * 1024;
/** Of any other message. */
export const MAX_TEXT_MESSAGE_BYTES = 128 * 1024;
/** `input.commit` and `input.done` whose text is still spoken. */
export const MAX_PENDING_FLUSHES = 256;
/** The next sentence waits while the client has left as much of the last ones unread: 20 seconds at 24 kHz. */
export const UNREAD_PAUSE_BYTES = 1024 * 1024;
/** For `session.config` to come. */
export const CONFIG_TIMEOUT_MS = 10_000;
