/** An input that can't be replayed at all; the message says what to do. */
export class InputError extends Error {}
