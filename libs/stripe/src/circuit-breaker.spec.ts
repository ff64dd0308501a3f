import { describe, expect, it } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

describe('a circuit breaker', () => {
  const after = (failures: number) => {
    const clock = { at: 0 };
    const breaker = new CircuitBreaker(() => clock.at);
    for (let i = 0; i < failures; i++) breaker.failed();
    return { clock, breaker };
  };

  it('lets everything through until twenty in a row have failed', () => {
    expect([after(19).breaker.lets(), after(20).breaker.lets()]).toEqual([true, false]);
    const { breaker } = after(19);
    breaker.answered();
    breaker.failed();
    expect(breaker.lets()).toBe(true);
  });

  it('then lets one through every five seconds', () => {
    const { clock, breaker } = after(20);
    clock.at = 4_999;
    expect(breaker.lets()).toBe(false);
    clock.at = 5_000;
    expect([breaker.lets(), breaker.lets()]).toEqual([true, false]);
    breaker.failed();
    clock.at = 10_000;
    expect([breaker.lets(), breaker.lets()]).toEqual([true, false]);
  });

  it('is over with the first answer', () => {
    const { clock, breaker } = after(25);
    clock.at = 5_000;
    expect(breaker.lets()).toBe(true);
    breaker.answered();
    expect([breaker.lets(), breaker.lets()]).toEqual([true, true]);
  });
});
