/** Which nights a target of notifications hears of. Pure. */
import type { NightResult, NotifyTarget } from '../contract/workflows.ts';

export function wants({ when }: NotifyTarget, night: Pick<NightResult, 'regression' | 'changed'>): boolean {
  switch (when) {
    case 'always':
      return true;
    case 'change':
      return night.changed;
    case 'regression':
      return night.regression;
  }
}
