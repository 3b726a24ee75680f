/** Money from tokens, and where a price is from. */
import type { Endpoint, Fallback } from '../../contract/recipe.ts';
import type { ChatMessage } from '../../contract/rows.ts';
import type { ChatRequest, TokenUsage } from './chat.ts';
import { tablePriceOf } from './priceTable.ts';
import { schemaBytesOf } from './structured.ts';

/** USD per million tokens; reasoning tokens are completion tokens and cost the same. */
export type Price = NonNullable<Endpoint['priceUsdPerMillionTokens']>;

/** `source` is for people: "recipe", the table and its date, or why there is no price. */
export type PriceFound =
  | { readonly price: Price; readonly source: string }
  | { readonly price: null; readonly source: string };

/** Role and separators that a chat template adds to a message, in tokens, rounded up generously. */
const TEMPLATE_TOKENS_PER_MESSAGE = 16;
const TOKENS_PER_PRICE_UNIT = 1_000_000;

export function costUsd(usage: TokenUsage, price: Price | undefined): number {
  if (price === undefined) return 0;
  return (
    (usage.promptTokens * price.prompt + usage.completionTokens * price.completion) / TOKENS_PER_PRICE_UNIT
  );
}

/**
 * What a request can cost at most, in USD, without a tokenizer: a token of a byte-level vocabulary stands for one byte
 * at least, so a text has no more tokens than UTF-8 bytes; an answer has no more than `sampling.maxTokens`.
 */
export function worstCaseUsd({ messages, sampling, responseSchema }: ChatRequest, price: Price): number {
  // Some providers charge the schema of a structured answer as part of the prompt.
  const schemaTokens = responseSchema === undefined ? 0 : schemaBytesOf(responseSchema);
  return costUsd(
    {
      promptTokens: promptTokensAtMost(messages) + schemaTokens,
      completionTokens: sampling.maxTokens,
      reasoningTokens: 0,
    },
    price,
  );
}

export function promptTokensAtMost(messages: readonly ChatMessage[]): number {
  let tokens = messages.length * TEMPLATE_TOKENS_PER_MESSAGE;
  for (const { content } of messages) tokens += Buffer.byteLength(content);
  return tokens;
}

/**
 * The price of an endpoint's own address: the recipe's, else the shipped table's, else null. `baseUrl` is the address
 * where the recipe names it by a variable; it tells resellers of the same model apart.
 */
export function priceOf(
  endpoint: Pick<Endpoint, 'model' | 'baseUrl' | 'priceUsdPerMillionTokens'>,
  baseUrl: string | undefined = endpoint.baseUrl,
): PriceFound {
  const { priceUsdPerMillionTokens: price, model } = endpoint;
  return price === undefined ? tablePriceOf(model, baseUrl) : { price, source: 'recipe' };
}

/** The price at another address of the same model: its own, else the table's for that address, else the endpoint's. */
export function priceOfFallback(
  endpoint: Pick<Endpoint, 'model' | 'baseUrl' | 'priceUsdPerMillionTokens'>,
  fallback: Fallback,
  baseUrls: { readonly endpoint?: string | undefined; readonly fallback?: string | undefined } = {},
): PriceFound {
  const { priceUsdPerMillionTokens: price, servedModel = endpoint.model } = fallback;
  if (price !== undefined) return { price, source: 'recipe' };
  const own = priceOf(endpoint, baseUrls.endpoint ?? endpoint.baseUrl);
  if (own.source === 'recipe') return own;
  const found = tablePriceOf(servedModel, baseUrls.fallback ?? fallback.baseUrl);
  return found.price === null ? own : found;
}

/** What any of the addresses may charge: a request is reserved for before it is known which one answers. */
export function dearestOf(prices: readonly [Price, ...Price[]]): Price {
  return {
    prompt: Math.max(...prices.map(({ prompt }) => prompt)),
    completion: Math.max(...prices.map(({ completion }) => completion)),
  };
}
