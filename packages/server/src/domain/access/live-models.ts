import { type Deps, onePerServer } from "../deps.ts";
import { AccessEngine, EngineCache } from "./engine/index.ts";
import { type KeyedResource, type Part, readModel, readParts } from "./model.store.ts";

/** Estimated bytes of the models of all tenants in a process. */
const BUDGET = 256 * 1024 * 1024;
/** An old model is used while the new one is read, and no longer than this. */
const PATIENCE_MILLISECONDS = 900;
/** So many changes at once are read as a whole. */
const MANY_PARTS = 2_000;

/** What is being done for one tenant. */
interface Work {
  parts: Set<string>;
  all: boolean;
  done: Promise<AccessEngine>;
}

/**
 * The compiled access models of the tenants in use. Change notices name the things that changed; these are read again
 * and put into the model, so a model is never older than what it takes to read some rows. What cannot be done within
 * a second drops the model: questions are then answered from the database until it is there again.
 */
class LiveModels {
  readonly #deps: Deps;
  readonly #engines = new EngineCache(BUDGET);
  readonly #work = new Map<string, Work>();
  /** Of each engine, the codes of resources by id: removals are by code. */
  readonly #resources = new WeakMap<AccessEngine, Map<string, KeyedResource>>();

  constructor(deps: Deps) {
    this.#deps = deps;
    deps.feed.subscribe({
      onChange: (noun, id) => {
        if (noun === "access-part") this.#onPart(id);
        if (noun === "tenant") this.#drop(id);
      },
      onGap: () => {
        this.#engines.clear();
        this.#work.clear();
      },
    });
  }

  /** The model, when it is there. */
  peek(tenantId: string): AccessEngine | undefined {
    return this.#engines.get(tenantId);
  }

  get(tenantId: string): AccessEngine | Promise<AccessEngine> {
    return this.#engines.get(tenantId) ?? this.load(tenantId);
  }

  /** The model that is being read, or is read from now on. It is kept while change notices arrive. */
  load(tenantId: string): Promise<AccessEngine> {
    const running = this.#work.get(tenantId);
    return running ? running.done : this.#begin(tenantId, { parts: new Set(), all: true }).done;
  }

  #drop(tenantId: string): void {
    this.#engines.drop(tenantId);
    this.#work.delete(tenantId);
  }

  #onPart(text: string): void {
    const colon = text.indexOf(":");
    const tenantId = text.slice(0, colon);
    const part = text.slice(colon + 1);
    const running = this.#work.get(tenantId);
    const work = running ?? { parts: new Set<string>(), all: false };
    if (!running && !this.#engines.get(tenantId)) return;
    if (part === "all:" || work.parts.size >= MANY_PARTS) work.all = true;
    else work.parts.add(part);
    if (!running) this.#begin(tenantId, work).done.catch(() => {}); // reported where it failed
  }

  #begin(tenantId: string, started: Pick<Work, "parts" | "all">): Work {
    const work = started as Work;
    const isCurrent = () => this.#work.get(tenantId) === work;
    const timer = setTimeout(() => {
      if (isCurrent()) this.#engines.drop(tenantId);
    }, PATIENCE_MILLISECONDS);
    timer.unref();
    this.#work.set(tenantId, work);
    work.done = this.#run(tenantId, work)
      .then((engine) => {
        if (isCurrent() && this.#deps.feed.live) this.#engines.keep(tenantId, engine);
        return engine;
      })
      .catch((error: unknown) => {
        this.#deps.log.warn(
          { err: error, tenantId },
          "reading an access model failed; it is read again when needed",
        );
        if (isCurrent()) this.#engines.drop(tenantId);
        throw error;
      })
      .finally(() => {
        clearTimeout(timer);
        if (isCurrent()) this.#work.delete(tenantId);
      });
    return work;
  }

  /** Reads until nothing has been noted meanwhile. */
  async #run(tenantId: string, work: Work): Promise<AccessEngine> {
    let engine = work.all ? undefined : this.#engines.get(tenantId);
    do {
      const parts = [...work.parts].map(toPart);
      work.parts.clear();
      if (work.all || !engine) {
        work.all = false;
        engine = await this.#readAll(tenantId);
      } else await this.#apply(tenantId, engine, parts);
    } while (work.all || work.parts.size > 0);
    return engine;
  }

  async #readAll(tenantId: string): Promise<AccessEngine> {
    const engine = new AccessEngine();
    const resources = new Map<string, KeyedResource>();
    await readModel(this.#deps.database, tenantId, async (part) => {
      for (const resource of part.resources ?? []) resources.set(resource.id, resource);
      engine.add(part);
      await new Promise(setImmediate); // others have their turn
    });
    this.#resources.set(engine, resources);
    return engine;
  }

  async #apply(tenantId: string, engine: AccessEngine, parts: readonly Part[]): Promise<void> {
    const { changes, resources } = await readParts(this.#deps.database, tenantId, parts);
    const known = this.#resources.get(engine);
    for (const { id, now } of resources) {
      const before = known?.get(id);
      if (before) {
        const { namespace, code } = before;
        engine.applyChange({ type: "resource.removed", namespace, code });
      }
      known?.delete(id);
      if (!now) continue;
      known?.set(id, now);
      engine.applyChange({ type: "resource.set", resource: now });
    }
    for (const change of changes) engine.applyChange(change);
  }
}

function toPart(text: string): Part {
  const [kind = "", ...ids] = text.split(":");
  return { kind, ids };
}

export const liveModels = onePerServer((deps) => new LiveModels(deps));
