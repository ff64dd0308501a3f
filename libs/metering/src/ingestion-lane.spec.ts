import { Problem } from '@drawdown/platform';
import { IngestionLane, MAX_GROUP_EVENTS, MAX_WAITING_EVENTS, type RequestOutcome } from './ingestion-lane.js';
import type { IngestRequest, IngestResult } from './incoming-event.js';

const request = (id: string, events = 1): IngestRequest => ({
  events: Array.from({ length: events }, (_, n) => ({
    event_id: `${id}-${n}`,
    event_name: 'x',
    customer_id: null,
    external_customer_id: 'a',
    timestamp: null,
    source: null,
    properties: {},
  })),
  path: () => '',
});
const resultsOf = ({ events }: IngestRequest): IngestResult[] =>
  events.map(({ event_id }) => ({
    event_id: event_id!,
    status: 'accepted',
    credits_burned: '0',
    differs: false,
    reason: null,
  }));

/** A lane whose transactions end when the test says so. */
function lane() {
  const groups: (readonly IngestRequest[])[] = [];
  const ends: ((outcomes: readonly RequestOutcome[] | Error) => void)[] = [];
  const subject = new IngestionLane((requests) => {
    groups.push(requests);
    return new Promise((resolve, reject) =>
      ends.push((outcomes) => (outcomes instanceof Error ? reject(outcomes) : resolve(outcomes))),
    );
  });
  const end = async (outcomes?: readonly RequestOutcome[] | Error) => {
    ends.shift()!(outcomes ?? groups[groups.length - 1]!.map(resultsOf));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { subject, groups, end, sizes: () => groups.map((group) => group.length) };
}

describe('a lane', () => {
  it('takes a request at once when idle; those that come meanwhile share the next transaction', async () => {
    const { subject, sizes, end } = lane();
    const first = subject.submit(request('a'));
    const others = [subject.submit(request('b')), subject.submit(request('c', 2))];
    expect(sizes()).toEqual([1]);
    await end();
    expect(sizes()).toEqual([1, 2]);
    await end();
    expect((await first).map((one) => one.event_id)).toEqual(['a-0']);
    expect((await Promise.all(others)).map((results) => results.map((one) => one.event_id))).toEqual([
      ['b-0'],
      ['c-0', 'c-1'],
    ]);
    void subject.submit(request('d'));
    expect(sizes()).toEqual([1, 2, 1]);
  });

  it('refuses one request of a group without the others', async () => {
    const { subject, end } = lane();
    void subject.submit(request('a'));
    const both = Promise.allSettled([subject.submit(request('b')), subject.submit(request('c'))]);
    await end();
    await end([resultsOf(request('b')), Problem.invalid('timestamp', 'is bad')]);
    expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('goes on after a transaction that failed', async () => {
    const { subject, end } = lane();
    const both = Promise.allSettled([subject.submit(request('a')), subject.submit(request('b'))]);
    await end(new Error('gone'));
    await end();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('bounds a transaction, but for a single request', async () => {
    const { subject, sizes, end } = lane();
    void subject.submit(request('a'));
    for (let n = 0; n < 3; n++) void subject.submit(request(`b${n}`, MAX_GROUP_EVENTS / 2));
    void subject.submit(request('c', MAX_GROUP_EVENTS + 1));
    await end();
    await end();
    await end();
    expect(sizes()).toEqual([1, 2, 1, 1]);
  });

  it('refuses with 503 what would wait behind too much, and takes it again later', async () => {
    const { subject, end } = lane();
    void subject.submit(request('a'));
    for (let n = 0; n < MAX_WAITING_EVENTS / 1000; n++) void subject.submit(request(`b${n}`, 1000));
    expect(() => subject.submit(request('c'))).toThrow(expect.objectContaining({ status: 503 }));
    await end();
    void subject.submit(request('c'));
  });
});
