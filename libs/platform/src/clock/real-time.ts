/** The only place of the server that reads the machine's clock. Everything else is given an instant. */
export const realTime = (): Date => new Date();
