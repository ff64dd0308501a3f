import { Problem } from '@drawdown/platform';
import { GroupLane, type GroupOutcome } from './group-lane.js';

interface Request {
  readonly name: string;
  readonly size: number;
}
const GROUP = 2_000;
const WAITING = 20_000;
const request = (name: string, size = 1): Request => ({ name, size });

/** A lane whose transactions end when the test says so; a request is answered with its name. */
function lane() {
  type Outcome = GroupOutcome<string> | Promise<string>;
  const groups: (readonly Request[])[] = [];
  const ends: ((outcomes: readonly Outcome[] | Error) => void)[] = [];
  const subject = new GroupLane<Request, string>(
    (requests) => {
      groups.push(requests);
      return new Promise((resolve, reject) =>
        ends.push((outcomes) => (outcomes instanceof Error ? reject(outcomes) : resolve(outcomes))),
      );
    },
    { waiting: WAITING, group: GROUP },
    ({ size }) => size,
  );
  const end = async (outcomes?: readonly Outcome[] | Error) => {
    ends.shift()!(outcomes ?? groups.at(-1)!.map(({ name }) => name));
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
    expect([await first, ...(await Promise.all(others))]).toEqual(['a', 'b', 'c']);
    void subject.submit(request('d'));
    expect(sizes()).toEqual([1, 2, 1]);
  });

  it('refuses one request of a group without the others', async () => {
    const { subject, end } = lane();
    void subject.submit(request('a'));
    const both = Promise.allSettled([subject.submit(request('b')), subject.submit(request('c'))]);
    await end();
    await end(['b', Problem.invalid('timestamp', 'is bad')]);
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
    for (let n = 0; n < 3; n++) void subject.submit(request(`b${n}`, GROUP / 2));
    void subject.submit(request('c', GROUP + 1));
    await end();
    await end();
    await end();
    expect(sizes()).toEqual([1, 2, 1, 1]);
  });

  it('refuses with 503 what would wait behind too much, and takes it again later', async () => {
    const { subject, end } = lane();
    void subject.submit(request('a'));
    for (let n = 0; n < WAITING / 1000; n++) void subject.submit(request(`b${n}`, 1000));
    expect(() => subject.submit(request('c'))).toThrow(expect.objectContaining({ status: 503 }));
    await end();
    void subject.submit(request('c'));
  });

  it('goes on without a request whose answer comes later', async () => {
    const { subject, sizes, end } = lane();
    const answer = Promise.withResolvers<string>();
    const late = subject.submit(request('a'));
    const next = subject.submit(request('b'));
    await end([answer.promise]);
    await end();
    expect([await next, sizes(), subject.isIdle]).toEqual(['b', [1, 1], true]);
    answer.resolve('late');
    expect(await late).toBe('late');
  });
});
