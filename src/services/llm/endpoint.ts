/** A model as one process sees it: its addresses, what they bear now, and one queue for all who ask. */
import type { ChatRequest } from './chat.ts';
import type { Asked } from './ask.ts';

/** How an endpoint fares; told to people when it changes. */
export type EndpointState =
  | { readonly kind: 'up' }
  /** Told to slow down: fewer in flight, or a pace. */
  | { readonly kind: 'limited'; readonly inFlight: number; readonly perSecond: number | null }
  /** No address answers: everything waits, one probe at a time. */
  | { readonly kind: 'gone'; readonly sinceMs: number; readonly problem: string };

export interface AskOptions {
  readonly signal: AbortSignal;
  /** Awaited before every request goes out: a lost lease or an empty purse holds it. */
  readonly admit?: () => Promise<void>;
}

export interface ModelEndpoint {
  readonly concurrency: number;
  /** One request until it is answered or given up. Shares limits with all others of this process. */
  ask(request: ChatRequest, options: AskOptions): Promise<Asked>;
  state(): EndpointState;
  close(): Promise<void>;
}
