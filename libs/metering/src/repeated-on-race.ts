import { sqlState } from '@drawdown/platform';

const UNIQUE_VIOLATION = '23505';
const ATTEMPTS = 5;

/** Runs a transaction again when somebody else has just taken a key that it inserts: the next time it is found. */
export async function repeatedOnRace<T>(constraint: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const raced = sqlState(error) === UNIQUE_VIOLATION && String((error as Error).message).includes(constraint);
      if (!raced || attempt === ATTEMPTS) throw error;
    }
  }
}
