import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

/** Takes `count` tokens at once on a clock that stands still; the milliseconds each has to wait. */
async function waits(bucket: (pause: (ms: number) => Promise<void>, now: () => number) => TokenBucket, count: number) {
  const waited: number[] = [];
  let last = 0;
  const line = bucket(
    async (ms) => void (last = ms),
    () => 0,
  );
  for (let i = 0; i < count; i++) {
    last = 0;
    await line.take();
    waited.push(Math.round(last));
  }
  return waited;
}

describe('a token bucket of 4 a second', () => {
  it('lets a burst of 4 pass and spaces the rest by 250 ms', async () => {
    expect(await waits((pause, now) => new TokenBucket(4, { pause, now }), 7)).toEqual([0, 0, 0, 0, 250, 500, 750]);
  });

  it('lets fewer pass at once where that was said', async () => {
    const bucket = (pause: (ms: number) => Promise<void>, now: () => number) =>
      new TokenBucket(4, { burst: 1, pause, now });
    expect(await waits(bucket, 3)).toEqual([0, 250, 500]);
  });

  it('after "too many requests" has no burst left and half the rate', async () => {
    const slowed = (pause: (ms: number) => Promise<void>, now: () => number) => {
      const bucket = new TokenBucket(4, { pause, now });
      bucket.slowDown();
      return bucket;
    };
    expect(await waits(slowed, 3)).toEqual([500, 1000, 1500]);
  });

  it('never gets slower than one a second, and is back at full rate after 40 answers', async () => {
    const recovered = (answers: number) => (pause: (ms: number) => Promise<void>, now: () => number) => {
      let at = 0;
      const bucket = new TokenBucket(4, { pause, now: () => now() + at });
      for (let i = 0; i < 5; i++) bucket.slowDown();
      for (let i = 0; i < answers; i++) bucket.speedUp();
      at = 1_000_000;
      return bucket;
    };
    expect((await waits(recovered(0), 6)).slice(4)).toEqual([1000, 2000]);
    expect((await waits(recovered(40), 6)).slice(4)).toEqual([250, 500]);
  });
});
