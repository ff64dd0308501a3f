import type { Problem } from '../http/problem.js';

/**
 * Waits for a write; when a named constraint of the database refuses it, throws the problem that says so in the caller's
 * words. Rules that hold by a constraint can't be raced; this gives them a voice. The error stays as the problem's
 * cause: by it a repeat under the same Idempotency-Key finds the answer that won.
 */
export async function explainRefusal<T>(write: Promise<T>, problems: Readonly<Record<string, Problem>>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const problem = problems[(error as { constraint?: string }).constraint ?? ''];
    throw problem ? Object.assign(problem, { cause: error }) : error;
  }
}
