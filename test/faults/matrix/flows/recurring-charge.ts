import type { Flow } from '../flow.js';
import { customerWithCard, plan, rows, subscribe } from './starter.js';

/** A paid month ends: usage is settled, the next fee drafted, finalized, charged to the saved card; credits renewed. */
export const recurringCharge: Flow = {
  name: 'recurring charge',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    await customerWithCard(world);
    await subscribe(world, planId);
    await world.advance('2026-01-10T10:30:00Z');
    await rows(world, 1_500, 'usage-1');
    return async (world) => {
      await world.advance('2026-02-10T10:30:00Z');
      await world.tellEvents();
      await world.advance('2026-02-20T09:00:00Z');
    };
  },
};
