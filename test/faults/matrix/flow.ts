import type { World } from './world.js';

/** Something that moves money or credits, from a prepared world to the end of its consequences. */
export interface Flow<Facts = unknown> {
  readonly name: string;
  /** Builds what is there before, undisturbed. Every run begins with a copy of it. */
  prepare(world: World): Promise<Facts>;
  /** What happens. The world repeats what isn't answered; nothing else may be needed to end well. */
  run(world: World, facts: Facts): Promise<void>;
}
