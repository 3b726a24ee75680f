import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer';
import { describe, expect, test } from 'vitest';
import { endpointSchema, fallbackSchema, samplingSchema } from '../../contract/recipe.ts';
import { costUsd, dearestOf, priceOf, priceOfFallback, promptTokensAtMost, worstCaseUsd } from './price.ts';
import { PRICE_TABLE, tablePriceOf } from './priceTable.ts';

const price = { prompt: 2, completion: 10 };
const endpoint = (fields: object) => endpointSchema.parse({ model: 'm', baseUrl: 'http://h/v1', ...fields });

describe('the worst case of a request', () => {
  test('is the bytes of the prompt and the longest answer', () => {
    const messages = [
      { role: 'system', content: 'abc' },
      { role: 'user', content: 'é€' },
    ] as const;
    expect(promptTokensAtMost(messages)).toBe(2 * 16 + 3 + 5);
    const sampling = samplingSchema.parse({ maxTokens: 1000 });
    expect(worstCaseUsd({ messages, sampling }, price)).toBeCloseTo((40 * 2 + 1000 * 10) / 1e6, 12);
  });

  test('is never below what a byte-level tokenizer counts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (content) => {
        expect(promptTokensAtMost([{ role: 'user', content }])).toBeGreaterThanOrEqual(countTokens(content));
      }),
      { numRuns: 300 },
    );
  });
});

test('an answer costs what its tokens cost; without a price nothing', () => {
  const usage = { promptTokens: 1_000_000, completionTokens: 500_000, reasoningTokens: 400_000 };
  expect(costUsd(usage, price)).toBe(7);
  expect(costUsd(usage, undefined)).toBe(0);
});

describe('where a price is from', () => {
  test('the recipe goes before the table', () => {
    expect(priceOf(endpoint({ model: 'gpt-4o-mini', priceUsdPerMillionTokens: price }))).toEqual({
      price,
      source: 'recipe',
    });
  });

  test('a known model has a list price, and the source names the table and its date', () => {
    const found = priceOf(endpoint({ model: 'gpt-4o-mini' }));
    expect(found.price).toEqual({ prompt: 0.15, completion: 0.6 });
    expect(found.source).toContain(`${PRICE_TABLE.version} (${PRICE_TABLE.releasedOn})`);
  });

  test('the address decides between resellers', () => {
    const model = 'deepseek/deepseek-r1';
    expect(priceOf(endpoint({ model, baseUrl: 'https://openrouter.ai/api/v1' })).source).toContain(
      'OpenRouter',
    );
  });

  test('an unknown model has none, and the reason is told', () => {
    const found = priceOf(endpoint({ model: 'my-own-model' }));
    expect(found.price).toBeNull();
    expect(found.source).toContain('does not know');
  });

  test('where the price changes within the day the dearest hour counts', () => {
    const url = 'https://api.deepseek.com/v1';
    const at = (hour: string) =>
      tablePriceOf('deepseek-reasoner', url, new Date(`2025-08-01T${hour}:00:00Z`)).price;
    expect(at('02')).toEqual(at('20'));
    expect(at('20')?.completion).toBeGreaterThanOrEqual(2.19);
  });

  test('a surcharge for long prompts is left out', () => {
    expect(tablePriceOf('gemini-2.5-pro').price).toEqual({ prompt: 1.25, completion: 10 });
  });

  test('a fallback: its own, then the recipe’s, then the table’s', () => {
    const fallback = (fields: object) => fallbackSchema.parse({ baseUrl: 'http://other/v1', ...fields });
    const own = { prompt: 1, completion: 1 };
    const priced = endpoint({ priceUsdPerMillionTokens: price });
    expect(priceOfFallback(priced, fallback({ priceUsdPerMillionTokens: own })).price).toEqual(own);
    expect(priceOfFallback(priced, fallback({})).price).toEqual(price);
    const listed = endpoint({ model: 'gpt-4o-mini' });
    expect(priceOfFallback(listed, fallback({ servedModel: 'my-gateway-name' })).price).toEqual({
      prompt: 0.15,
      completion: 0.6,
    });
  });

  test('the dearest of several addresses bounds them all', () => {
    expect(dearestOf([price, { prompt: 3, completion: 1 }])).toEqual({ prompt: 3, completion: 10 });
  });
});

test('the table is the installed one', async () => {
  const manifest = new URL('../../../node_modules/@pydantic/genai-prices/package.json', import.meta.url);
  expect(JSON.parse(await readFile(manifest, 'utf8'))).toMatchObject({ version: PRICE_TABLE.version });
});
