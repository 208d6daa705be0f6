/** Something that somebody may try, right or wrong. */
export interface Action<Run> {
  name: string;
  /** `NOTHING` where there is nothing to try it with. */
  try(run: Run): Promise<unknown>;
}

/** An attempt that was none: it counts as no path and no step. */
export const NOTHING = Symbol("nothing to try");

export interface Explored {
  /** Different situations that were reached. */
  states: number;
  /** Orders of actions that were tried. */
  paths: number;
  /** Actions that were taken, the repetitions on the way to a situation included. */
  actions: number;
  /** Actions of the longest order. */
  depth: number;
  /** Whether the time was enough for every order up to the depth. */
  complete: boolean;
  /** What must not have happened: the order that led there, and what it was. */
  breaches: string[];
}

interface Exploration<Run> {
  begin(): Promise<Run>;
  /** Two runs with the same text are in the same situation. */
  situation(run: Run): string;
  breaches(run: Run): readonly string[];
  actions: readonly Action<Run>[];
  /** Actions of the longest order. */
  depth: number;
  /** Seconds; then it stops where it is. */
  seconds: number;
  /** Stops at the first breach. */
  stopAtBreach?: boolean;
}

/** Counts, and ends what takes too long or has found what it was to find. */
class Walk<Run> {
  readonly #exploration: Exploration<Run>;
  readonly #until: number;
  readonly #seen = new Set<string>();
  readonly result: Explored = { states: 0, paths: 0, actions: 0, depth: 0, complete: true, breaches: [] };

  constructor(exploration: Exploration<Run>, seconds: number) {
    this.#exploration = exploration;
    this.#until = Date.now() + seconds * 1_000;
  }

  get isOver(): boolean {
    const found = this.#exploration.stopAtBreach === true && this.result.breaches.length > 0;
    return found || Date.now() > this.#until;
  }

  /** @returns whether nobody was in this situation before. */
  arrive(run: Run): boolean {
    const situation = this.#exploration.situation(run);
    if (this.#seen.has(situation)) return false;
    this.#seen.add(situation);
    this.result.states = this.#seen.size;
    return true;
  }

  async again(way: readonly Action<Run>[]): Promise<Run> {
    const run = await this.#exploration.begin();
    for (const action of way) await this.#take(run, action);
    return run;
  }

  /** The last action of a way. @returns whether it has changed the situation. */
  async try(run: Run, way: readonly Action<Run>[], action: Action<Run>): Promise<boolean> {
    const { situation, breaches } = this.#exploration;
    const before = situation(run);
    if (!(await this.#take(run, action))) return false;
    this.result.paths++;
    this.result.depth = Math.max(this.result.depth, way.length + 1);
    const found = breaches(run);
    if (found.length > 0) {
      const names = [...way, action].map(({ name }) => name).join(" → ");
      this.result.breaches.push(...found.map((breach) => `${breach}: ${names}`));
    }
    return situation(run) !== before;
  }

  async #take(run: Run, action: Action<Run>): Promise<boolean> {
    if ((await action.try(run)) === NOTHING) return false;
    this.result.actions++;
    return true;
  }
}

/**
 * Tries every action in every situation that can be reached, nearest first. What an action has refused has changed
 * nothing, so the next one is tried in the same run; what has changed something begins a new run on the same way.
 */
export async function explore<Run>(exploration: Exploration<Run>): Promise<Explored> {
  const walk = new Walk(exploration, exploration.seconds);
  walk.arrive(await exploration.begin());
  const ways: Action<Run>[][] = [[]];
  for (let way = ways.shift(); way && way.length < exploration.depth; way = ways.shift()) {
    let run = await walk.again(way);
    for (const action of exploration.actions) {
      if (walk.isOver) return { ...walk.result, complete: false };
      if (!(await walk.try(run, way, action))) continue;
      if (walk.arrive(run)) ways.push([...way, action]);
      run = await walk.again(way);
    }
  }
  return walk.result;
}

/** On one way, refused ones included: nothing leads on from some situations. */
const TRIES = 80;

/** Long orders, drawn: what is too far away to try everything. The same seed draws the same orders. */
export async function wander<Run>(exploration: Exploration<Run>, seed: number): Promise<Explored> {
  const walk = new Walk(exploration, exploration.seconds);
  const draw = randomNumbers(seed);
  const { actions } = exploration;
  while (!walk.isOver) {
    const run = await exploration.begin();
    walk.arrive(run);
    const way: Action<Run>[] = [];
    for (let tries = 0; tries < TRIES && way.length < exploration.depth && !walk.isOver; tries++) {
      const action = actions[Math.floor(draw() * actions.length)];
      if (!action) break;
      if (!(await walk.try(run, way, action))) continue; // refused: not a part of the way
      way.push(action);
      walk.arrive(run);
    }
  }
  return { ...walk.result, complete: false };
}

/** Mulberry32: from 0 to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function describeExplored(name: string, explored: Explored): string {
  const { states, paths, actions, depth, complete } = explored;
  const how = complete ? "all there are" : "as many as the time allows";
  return `${name}: ${states} states, ${paths} paths of up to ${depth} steps (${how}), ${actions} steps taken`;
}
