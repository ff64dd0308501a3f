import type { World } from './world.js';

/** Something that moves money or credits, from a prepared world to the end of its consequences. */
export interface Flow {
  readonly name: string;
  /**
   * Builds what is there before, undisturbed; every run begins with a copy of it. @returns what happens then: the world
   * repeats what isn't answered, and nothing else may be needed to end well.
   */
  prepare(world: World): Promise<(world: World) => Promise<void>>;
}
