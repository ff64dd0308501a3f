const { closing } = globalThis as unknown as { closing: (() => Promise<void>)[] };

/** Closes something when the test file ends, before the file's database is dropped. */
export const atEndOfFile = (close: () => Promise<void>): void => void closing.push(close);
