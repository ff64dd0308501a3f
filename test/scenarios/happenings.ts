import type { Modules } from '../support/modules.js';
import { sql } from 'kysely';

export interface Happened {
  readonly at: string;
  readonly event: string;
}

/** `2026-03-08T07:00 invoice.drafted`, as `clock/advance` tells it. */
export const told = (happened: readonly Happened[]): string[] =>
  happened.map(({ at, event }) => `${minute(at)} ${event}`);

export const minute = (at: string): string => new Date(at).toISOString().slice(0, 16);

/** Moves the clock through the API. */
export async function advance(modules: Modules, to: string): Promise<string[]> {
  const answer = await modules.api.post('/clock/advance', { to });
  if (answer.status !== 200) throw new Error(`advance to ${to}: ${answer.status} ${answer.text}`);
  return told(answer.body.happened as Happened[]);
}

/**
 * All that a request (or several) makes happen in the whole environment, whatever it is about, with what follows at the
 * same instant after its commit. Exact only where nothing runs by itself: ROLE=api.
 */
export async function eventsDuring(modules: Modules, work: () => Promise<unknown>): Promise<string[]> {
  const seen = await lastEvent(modules);
  await work();
  const { body } = await modules.api.get('/clock');
  await advance(modules, body.now as string);
  const found = await modules.run((tx) =>
    sql<{ name: string }>`
      select name from outbox_event
      where environment_id = ${tx.scope.environmentId} and seq > ${seen}::bigint order by seq`.execute(tx.db),
  );
  return found.rows.map(({ name }) => name);
}

async function lastEvent(modules: Modules): Promise<string> {
  const found = await modules.run((tx) =>
    sql<{ seq: string }>`select coalesce(max(seq), 0)::text seq from outbox_event`.execute(tx.db),
  );
  return found.rows[0]!.seq;
}
