import type { Flow } from '../flow.js';
import { customerWithCard, plan, rows, subscribe } from './starter.js';

/** A trial ends: the first recurring credits, the first fee, trial usage waived, the card charged for the first time. */
export const trialEnd: Flow = {
  name: 'trial end',
  async prepare(world) {
    const { planId } = await plan(world, 14);
    await customerWithCard(world);
    await subscribe(world, planId);
    await rows(world, 80, 'usage-1');
    return async (world) => {
      await world.advance('2026-01-24T10:30:00Z');
      await world.tellEvents();
      await world.advance('2026-02-04T09:00:00Z');
    };
  },
};
