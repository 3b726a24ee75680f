/** List prices of hosted models, from the table that is shipped with a package; nothing is fetched at run time. */
import { createRequire } from 'node:module';
import type * as genaiPrices from '@pydantic/genai-prices';
import type { PriceFound } from './price.ts';

/** The package's version and the day it was released; a test holds the version to what is installed. */
export const PRICE_TABLE = {
  name: '@pydantic/genai-prices',
  version: '0.1.8',
  releasedOn: '2026-09-23',
} as const;

const SOURCE = `${PRICE_TABLE.name} ${PRICE_TABLE.version} (${PRICE_TABLE.releasedOn})`;
/** Prices are read off a request of this size: below every provider's threshold for dearer long prompts. */
const SAMPLE_TOKENS = 1000;
const HOUR_MS = 3_600_000;

/**
 * List price of a model in USD per million tokens, on the day of `now`. The address decides between resellers; an
 * address that the table does not know (a gateway) gets the price of the model's own provider. Where the price changes
 * within the day the dearest hour counts, so that a bound made of it holds. Long-prompt surcharges (beyond 200,000
 * tokens) and cache discounts are left out.
 */
export function tablePriceOf(model: string, baseUrl?: string, now: Date = new Date()): PriceFound {
  const { calcPrice, findProvider } = loadTable();
  const seller = baseUrl === undefined ? undefined : findProvider({ providerApiUrl: baseUrl });
  const options: genaiPrices.PriceOptions = seller === undefined ? {} : { provider: seller };
  const hours = Array.from({ length: 24 }, (_, hour) => new Date(startOfDay(now) + hour * HOUR_MS));
  const usage = { input_tokens: SAMPLE_TOKENS, output_tokens: SAMPLE_TOKENS };
  const found = hours.flatMap((timestamp) => {
    const price = calcPrice(usage, model, { ...options, timestamp });
    // A model that is priced by hours or images has no price by token.
    return price === null ||
      price.model_price['input_mtok'] === undefined ||
      price.model_price['output_mtok'] === undefined
      ? []
      : [price];
  });
  const [first] = found;
  if (first === undefined)
    return { price: null, source: `not in the recipe, and ${SOURCE} does not know the model` };
  const perMillion = (usd: number): number => Number(((usd / SAMPLE_TOKENS) * 1_000_000).toPrecision(12));
  return {
    price: {
      prompt: perMillion(Math.max(...found.map(({ input_price }) => input_price))),
      completion: perMillion(Math.max(...found.map(({ output_price }) => output_price))),
    },
    source: `${SOURCE}: ${first.provider.name}, ${first.model.id}`,
  };
}

function startOfDay(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
}

type PriceTable = Pick<typeof genaiPrices, 'calcPrice' | 'findProvider'>;

/** Some 12 MB that most recipes, which name their prices, do not need. */
function loadTable(): PriceTable {
  return createRequire(import.meta.url)('@pydantic/genai-prices') as PriceTable;
}
