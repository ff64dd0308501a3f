// One process of `npm run faults`: is given trials, tells their outcomes, ends when its parent does.
import { flows } from './flows/index.js';
import { Laboratory, type Trial } from './laboratory.js';
import { serverOfBuild } from './server-under-test.js';

export type Order = { readonly run: Trial } | { readonly stepsOf: string };

const [, , base, build] = process.argv;
const laboratory = await Laboratory.start(await serverOfBuild(build!), flows, base!);
process.on('message', (order: Order) => {
  const answer = 'run' in order ? laboratory.run(order.run) : laboratory.stepsOf(order.stepsOf);
  answer.then(
    (value) => process.send!({ value }),
    (error: Error) => process.send!({ error: error.stack }),
  );
});
process.once('SIGTERM', () => void laboratory.close().then(() => process.exit()));
process.once('disconnect', () => void laboratory.close().then(() => process.exit()));
process.send!({ ready: true });
