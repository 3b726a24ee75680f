/** Warm hosts by what they are for: started when first asked for, ended when nobody has asked for a while. */
import { join } from 'node:path';
import type { Sandbox, Toolchain } from '../../sandbox/index.ts';
import { stageHarness } from '../stageHarness.ts';
import { WarmHost, type HostSpec } from './host.ts';

const SOURCE = join(import.meta.dirname, 'harness');
const IDLE_MS = 10_000;

interface Entry {
  readonly key: string;
  readonly host: WarmHost;
  idle: NodeJS.Timeout | null;
}

type Use<T> = (host: WarmHost) => Promise<{ readonly keep: boolean; readonly result: T }>;

export interface WarmHostsOptions {
  readonly sandbox: Sandbox;
  readonly toolchain: Pick<Toolchain, 'root'>;
  /** Hosts at a time, those that wait included. */
  readonly most: number;
}

export class WarmHosts {
  readonly #options: WarmHostsOptions;
  readonly #waiting: Entry[] = [];
  /** What has to end before all is closed: uses and the ends of hosts. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** Keys of hosts that cannot be. */
  readonly #impossible = new Set<string>();
  #live = 0;
  #closed = false;

  constructor(options: WarmHostsOptions) {
    this.#options = options;
  }

  /**
   * What `use` returns; null where there is no host for it. The host is `use`'s alone meanwhile, and is kept where `use`
   * says so and the host agrees.
   * @throws SecpiError SANDBOX_UNAVAILABLE, and what `use` throws.
   */
  async use<T>(spec: HostSpec, use: Use<T>): Promise<T | null> {
    const using = this.#use(spec, use);
    this.#track(using);
    return await using;
  }

  async #use<T>(spec: HostSpec, use: Use<T>): Promise<T | null> {
    const key = JSON.stringify(spec);
    const host = await this.#take(key, spec);
    if (host === null) return null;
    let keep = false;
    try {
      const used = await use(host);
      ({ keep } = used);
      return used.result;
    } finally {
      if (keep && host.isUsable && !this.#closed) this.#putBack(key, host);
      else this.#end(host);
    }
  }

  /** Resolves when no process of theirs is left; later calls of `use` find no host. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { host, idle } of this.#waiting.splice(0)) {
      if (idle !== null) clearTimeout(idle);
      this.#end(host);
    }
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #take(key: string, spec: HostSpec): Promise<WarmHost | null> {
    if (this.#closed || this.#impossible.has(key)) return null;
    const index = this.#waiting.findIndex((entry) => entry.key === key);
    const [found] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (found !== undefined) {
      if (found.idle !== null) clearTimeout(found.idle);
      if (found.host.isUsable) return found.host;
      this.#end(found.host);
    }
    if (this.#live >= this.#options.most) {
      const [oldest] = this.#waiting.splice(0, 1);
      if (oldest === undefined) return null;
      if (oldest.idle !== null) clearTimeout(oldest.idle);
      this.#end(oldest.host);
    }
    this.#live += 1;
    const host = await this.#start(spec).catch((error: unknown) => {
      this.#live -= 1;
      throw error;
    });
    if (host === null) {
      this.#live -= 1;
      this.#impossible.add(key);
    }
    return host;
  }

  async #start(spec: HostSpec): Promise<WarmHost | null> {
    const { sandbox, toolchain } = this.#options;
    return await WarmHost.start(sandbox, await stageWarmHarness(toolchain), spec);
  }

  #putBack(key: string, host: WarmHost): void {
    const entry: Entry = { key, host, idle: null };
    entry.idle = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      this.#end(host);
    }, IDLE_MS);
    this.#waiting.push(entry);
  }

  #end(host: WarmHost): void {
    this.#live -= 1;
    this.#track(host.close());
  }

  #track(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work.then(
      () => this.#underWay.delete(settled),
      () => this.#underWay.delete(settled), // whoever asked for it is told
    );
    this.#underWay.add(settled);
  }
}

/** The Python side, where a sandbox can read it. */
export async function stageWarmHarness(toolchain: Pick<Toolchain, 'root'>): Promise<string> {
  return await stageHarness(toolchain, 'warm-harness', SOURCE);
}
