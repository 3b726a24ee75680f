/** A workflow that does nothing but hold a budget, for the tests of the money; it continues as new when told. */
import { condition, continueAsNew, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';
import { createBudget, type BudgetSnapshot } from '../../src/workflows/budget.ts';

export const finishSignal = defineSignal('finish');
export const goOnSignal = defineSignal('goOnAsNew');
export const toldQuery = defineQuery<string[]>('told');

export async function holder(capUsd: number | null, restored: BudgetSnapshot | null = null): Promise<void> {
  const told: string[] = [];
  let next: 'finish' | 'goOn' | null = null;
  const budget = createBudget(
    capUsd,
    { onPaused: () => told.push('paused'), onResumed: () => told.push('resumed') },
    restored,
  );
  setHandler(toldQuery, () => told);
  setHandler(finishSignal, () => void (next = 'finish'));
  setHandler(goOnSignal, () => void (next = 'goOn'));
  await condition(() => next !== null);
  if (next === 'goOn') await continueAsNew<typeof holder>(capUsd, budget.snapshot());
}
