import { expect } from '@jest/globals';

interface Schema {
  safeParse(value: unknown): { success: boolean; error?: { issues: unknown[] } };
}

/**
 * Sees that the published client can read an answer: since zod 4.4 its schemas refuse an object that lacks a declared key,
 * at any level. `model` is the client's name of it, such as `DtoPriceResponse`.
 */
export async function expectWireShape(model: string, answer: unknown): Promise<void> {
  const file = model.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  const models = (await import(`@flexprice/sdk/sdk/models/${file}.js`)) as Record<string, Schema>;
  const parsed = models[`${model}$inboundSchema`]!.safeParse(answer);
  expect(parsed.error?.issues ?? []).toEqual([]);
}
