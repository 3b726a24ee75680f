import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Budget } from './budgetState.ts';

const NOW = '2026-01-01T00:00:00.000Z';
/** Sums of floating point numbers. */
const EPSILON_USD = 1e-9;

describe('a budget', () => {
  test('grants a share of what is left, and at least four of the next requests', () => {
    const budget = new Budget({ capUsd: 16 });
    expect(budget.grant({ id: 'a', atLeastUsd: 0.001 }, NOW)).toEqual({ status: 'granted', usd: 1 });
    expect(budget.grant({ id: 'b', atLeastUsd: 2 }, NOW)).toEqual({ status: 'granted', usd: 8 });
    expect(budget.grant({ id: 'c', atLeastUsd: 6.5 }, NOW)).toEqual({ status: 'granted', usd: 7 });
    expect(budget.state()).toMatchObject({ grantedUsd: 16, availableUsd: 0 });
  });

  test('refuses what is not left, tells since when, and resumes by a settlement or a raise', () => {
    const budget = new Budget({ capUsd: 1 });
    budget.grant({ id: 'a', atLeastUsd: 1 }, NOW);
    expect(budget.grant({ id: 'b', atLeastUsd: 0.5 }, NOW)).toEqual({
      status: 'refused',
      availableUsd: 0,
      capUsd: 1,
    });
    expect(budget.state().pausedSince).toBe(NOW);
    budget.raise(1.25);
    expect(budget.state().pausedSince).toBe(NOW);
    budget.settle({ id: 'a', spentUsd: 0.25, unsettledUsd: 0.25 });
    expect(budget.state()).toMatchObject({ pausedSince: null, availableUsd: 0.75 });
    expect(budget.grant({ id: 'c', atLeastUsd: 0.5 }, NOW).status).toBe('granted');
  });

  test('a settlement of more than its tranche is recorded as it was, and nothing more is granted', () => {
    const budget = new Budget({ capUsd: 1 });
    budget.grant({ id: 'a', atLeastUsd: 1 }, NOW);
    budget.settle({ id: 'a', spentUsd: 1.5, unsettledUsd: 0 });
    expect(budget.state()).toMatchObject({ spentUsd: 1.5, availableUsd: -0.5 });
    expect(budget.grant({ id: 'b', atLeastUsd: 0 }, NOW).status).toBe('refused');
  });

  test('a settlement that overtakes its grant leaves nothing granted', () => {
    const budget = new Budget({ capUsd: 1 });
    budget.settle({ id: 'a', spentUsd: 0, unsettledUsd: 0 });
    expect(budget.grant({ id: 'a', atLeastUsd: 0.1 }, NOW).status).toBe('refused');
    expect(budget.state()).toMatchObject({ grantedUsd: 0, pausedSince: null });
  });

  test('a cap is used up within a bounded number of tranches', () => {
    const budget = new Budget({ capUsd: 100 });
    const worstUsd = 0.0001;
    let tranches = 0;
    for (;;) {
      const id = `t${tranches}`;
      const answer = budget.grant({ id, atLeastUsd: worstUsd }, NOW);
      if (answer.status === 'refused') break;
      tranches += 1;
      // As a worker does: until the next request does not fit.
      budget.settle({ id, spentUsd: Math.max(worstUsd / 10, answer.usd - worstUsd), unsettledUsd: 0 });
    }
    expect(tranches).toBeLessThan(350);
    expect(budget.state().availableUsd).toBeLessThan(worstUsd);
  });
});

/** What a test's own book keeping says of a tranche. */
interface Tranche {
  readonly id: string;
  readonly usd: number;
}

const usd = fc.double({ min: 0, max: 3, noNaN: true });
const step = fc.oneof(
  fc.record({ kind: fc.constant('grant' as const), atLeastUsd: usd }),
  fc.record({
    kind: fc.constant('settle' as const),
    pick: fc.nat(),
    spent: fc.double({ min: 0, max: 1, noNaN: true }),
    unsettled: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('lose' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('askAgain' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('settleAgain' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('raise' as const), byUsd: usd }),
  fc.record({ kind: fc.constant('continueAsNew' as const) }),
);

const sum = (of: readonly number[]): number => of.reduce((left, right) => left + right, 0);
const near = (left: number, right: number): boolean => Math.abs(left - right) < EPSILON_USD;

/** A budget beside books of its own, kept from the answers alone. `wrong` collects what does not agree. */
class Books {
  readonly wrong: string[] = [];
  #budget = new Budget({ capUsd: 5 });
  #capUsd = 5;
  #number = 0;
  readonly #live: Tranche[] = [];
  /** Their host is gone for good: they stay granted. */
  readonly #lost: Tranche[] = [];
  readonly #settled: (Tranche & { spentUsd: number; unsettledUsd: number })[] = [];

  apply(event: typeof step extends fc.Arbitrary<infer Event> ? Event : never): void {
    switch (event.kind) {
      case 'grant': {
        const id = `t${(this.#number += 1)}`;
        const { availableUsd } = this.#budget.state();
        const could = availableUsd > 0 && availableUsd >= event.atLeastUsd;
        const answer = this.#budget.grant({ id, atLeastUsd: event.atLeastUsd }, NOW);
        this.#holds((answer.status === 'granted') === could, 'granted when there is enough, and only then');
        this.#holds((this.#budget.state().pausedSince === null) === could, 'paused while refused');
        if (answer.status === 'refused') break;
        this.#holds(answer.usd >= event.atLeastUsd && answer.usd <= availableUsd, 'the size of a tranche');
        this.#live.push({ id, usd: answer.usd });
        break;
      }
      case 'settle': {
        const tranche = take(this.#live, event.pick);
        if (tranche === undefined) break;
        const spentUsd = tranche.usd * event.spent;
        const unsettledUsd = (tranche.usd - spentUsd) * event.unsettled;
        this.#budget.settle({ id: tranche.id, spentUsd, unsettledUsd });
        this.#settled.push({ ...tranche, spentUsd, unsettledUsd });
        break;
      }
      case 'lose': {
        const tranche = take(this.#live, event.pick);
        if (tranche !== undefined) this.#lost.push(tranche);
        break;
      }
      case 'askAgain': {
        const all = [...this.#live, ...this.#lost, ...this.#settled];
        const tranche = all[event.pick % Math.max(1, all.length)];
        if (tranche === undefined) break;
        const answer = this.#budget.grant({ id: tranche.id, atLeastUsd: 0 }, NOW);
        this.#holds(answer.status === 'granted' && answer.usd === tranche.usd, 'the same answer again');
        break;
      }
      case 'settleAgain': {
        const tranche = this.#settled[event.pick % Math.max(1, this.#settled.length)];
        if (tranche !== undefined) this.#budget.settle({ id: tranche.id, spentUsd: 9, unsettledUsd: 9 });
        break;
      }
      case 'raise':
        this.#capUsd = Math.max(this.#capUsd, this.#budget.committedUsd()) + event.byUsd;
        this.#budget.raise(this.#capUsd);
        break;
      case 'continueAsNew':
        this.#budget = new Budget(
          JSON.parse(JSON.stringify(this.#budget.snapshot())) as ReturnType<Budget['snapshot']>,
        );
        break;
    }
    this.#compare();
  }

  #compare(): void {
    const { capUsd, spentUsd, unsettledUsd, grantedUsd } = this.#budget.state();
    this.#holds(spentUsd + unsettledUsd + grantedUsd <= capUsd + EPSILON_USD, 'at most the cap');
    this.#holds(capUsd === this.#capUsd, 'the cap');
    this.#holds(near(spentUsd, sum(this.#settled.map((tranche) => tranche.spentUsd))), 'spent');
    this.#holds(near(unsettledUsd, sum(this.#settled.map((tranche) => tranche.unsettledUsd))), 'unsettled');
    this.#holds(near(grantedUsd, sum([...this.#live, ...this.#lost].map(({ usd }) => usd))), 'granted');
  }

  #holds(condition: boolean, what: string): void {
    if (!condition) this.wrong.push(what);
  }
}

function take(from: Tranche[], pick: number): Tranche | undefined {
  return from.splice(pick % Math.max(1, from.length), 1)[0];
}

test('whatever happens in whatever order: never above the cap, nothing lost, nothing counted twice', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const books = new Books();
      for (const event of steps) books.apply(event);
      expect(books.wrong).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
