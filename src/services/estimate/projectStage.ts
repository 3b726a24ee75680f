/** One stage of an estimate: what is left to ask, times what answers of the sample came to. Pure. */
import type { Endpoint } from '../../contract/recipe.ts';
import type { StageEstimate } from '../../contract/workflows.ts';
import type { TokenUsage } from '../llm/chat.ts';
import { costUsd, type Price, type PriceFound } from '../llm/price.ts';
import { mean, predictRestBySize, rangeOf, timesEach, type Amount } from './prediction.ts';

/** Without a sample: English and code have about this many bytes a token. */
const ASSUMED_BYTES_PER_TOKEN = 4;
/** Without a sample: answers of this share of what is allowed. */
const ASSUMED_SHARE_OF_MAX_TOKENS = 0.5;

/** What a row of the sample took. */
export interface RowCost {
  readonly promptBytes: number;
  /** Of all its answers. */
  readonly usage: TokenUsage;
  readonly requests: number;
  /** Of all its requests, one after the other. */
  readonly latencyMs: number;
}

/** Rows that the run will still have to ask about. */
export interface Rest {
  readonly rows: Amount;
  /** The count of rows is an assumption: nobody was asked which ones are kept. */
  readonly isAssumed: boolean;
  /** Bytes of all their prompts where these are known, else null: prompts are taken to be like those of the sample. */
  readonly promptBytes: number | null;
  /** Tokens of all their prompts at most, and requests at most. */
  readonly promptTokensAtMost: number;
  readonly requestsAtMost: number;
}

/** What a row takes in all, as a multiple of what its answers in the sample took: a judge reads them besides. */
export interface Multiple {
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
}
export const once: Multiple = { requests: 1, promptTokens: 1, completionTokens: 1, costUsd: 1 };

export interface StageToProject {
  readonly stage: StageEstimate['stage'];
  readonly endpoint: Pick<Endpoint, 'model' | 'sampling' | 'concurrency' | 'limits'>;
  readonly price: PriceFound;
  /** Of the dearest address. */
  readonly worstPrice: Price | null;
  readonly rows: number;
  readonly known: number;
  readonly sampled: number;
  readonly rest: Rest;
  readonly answers: readonly RowCost[];
  readonly multiple: Multiple;
}

export interface ProjectedStage {
  readonly estimate: StageEstimate;
  /** Of costUsd; null where nobody was asked, and all between nothing and the worst case is possible. */
  readonly variance: number | null;
  /** Of asking on one worker. */
  readonly seconds: number;
}

export function projectStage(stage: StageToProject): ProjectedStage {
  const { endpoint, rest, answers, multiple } = stage;
  const price = stage.price.price ?? { prompt: 0, completion: 0 };
  const worstUsd = costUsd(
    {
      promptTokens: rest.promptTokensAtMost,
      completionTokens: rest.requestsAtMost * endpoint.sampling.maxTokens,
      reasoningTokens: 0,
    },
    stage.worstPrice ?? price,
  );
  const { promptTokens, completionTokens, cost } =
    answers.length === 0 ? assumed(stage, price) : predicted(stage, price);
  const perRow = answers.length === 0 ? 1 : mean(answers.map((row) => row.requests));
  const requests = rest.rows.expected * perRow * multiple.requests;
  const total = promptTokens * multiple.promptTokens + completionTokens * multiple.completionTokens;
  const expectedUsd = cost.expected * multiple.costUsd;
  const variance = cost.variance * multiple.costUsd ** 2;
  const { low, high } = rangeOf(
    { expected: expectedUsd, variance },
    { atMost: Math.max(worstUsd, expectedUsd) },
  );
  const isKnown = !rest.isAssumed && (answers.length > 0 || rest.rows.expected === 0);
  return {
    estimate: {
      stage: stage.stage,
      model: endpoint.model,
      rows: Math.round(stage.rows),
      known: Math.round(stage.known),
      requests,
      promptTokens: promptTokens * multiple.promptTokens,
      completionTokens: completionTokens * multiple.completionTokens,
      costUsd: expectedUsd,
      lowUsd: isKnown ? low : 0,
      highUsd: isKnown ? high : worstUsd,
      worstUsd: Math.max(worstUsd, expectedUsd),
      price: stage.price.source,
      sampled: stage.sampled,
    },
    variance: isKnown ? variance : null,
    seconds: secondsOf(endpoint, requests, total, mean(answers.map(({ latencyMs }) => latencyMs)) / perRow),
  };
}

interface Predicted {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: Amount;
}

function predicted({ rest, answers }: StageToProject, price: Price): Predicted {
  const count = rest.rows.expected;
  const completionTokens = count * mean(answers.map(({ usage }) => usage.completionTokens));
  if (rest.promptBytes === null) {
    return {
      promptTokens: count * mean(answers.map(({ usage }) => usage.promptTokens)),
      completionTokens,
      cost: timesEach(
        rest.rows,
        answers.map(({ usage }) => costUsd(usage, price)),
      ),
    };
  }
  const size = { rows: count, size: rest.promptBytes };
  const prompt = predictRestBySize(
    answers.map(({ promptBytes, usage }) => ({ size: promptBytes, value: usage.promptTokens })),
    size,
  );
  // Both parts of a row's cost at once, as long tasks have long answers.
  const ratio = rest.promptBytes === 0 ? 0 : prompt.expected / rest.promptBytes;
  const residuals = answers.map(
    ({ promptBytes, usage }) => costUsd(usage, price) - (ratio * promptBytes * price.prompt) / 1_000_000,
  );
  const besides = timesEach(rest.rows, residuals);
  return {
    promptTokens: prompt.expected,
    completionTokens,
    cost: {
      expected: besides.expected + (prompt.expected * price.prompt) / 1_000_000,
      variance: besides.variance,
    },
  };
}

function assumed({ rest, endpoint }: StageToProject, price: Price): Predicted {
  const perRequest = rest.requestsAtMost === 0 ? 0 : rest.promptTokensAtMost / rest.requestsAtMost;
  const bytes = rest.promptBytes ?? perRequest * rest.rows.expected;
  const promptTokens = bytes / ASSUMED_BYTES_PER_TOKEN;
  const completionTokens = rest.rows.expected * endpoint.sampling.maxTokens * ASSUMED_SHARE_OF_MAX_TOKENS;
  const expected = costUsd({ promptTokens, completionTokens, reasoningTokens: 0 }, price);
  return { promptTokens, completionTokens, cost: { expected, variance: 0 } };
}

/** The slowest of: the recipe's concurrency at the latency that was seen, and the paces that the recipe allows. */
function secondsOf(
  { concurrency, limits }: StageToProject['endpoint'],
  requests: number,
  tokens: number,
  latencyMs: number,
): number {
  const { requestsPerMinute, tokensPerMinute } = limits;
  return Math.max(
    (requests * latencyMs) / 1000 / concurrency,
    requestsPerMinute === undefined ? 0 : (requests / requestsPerMinute) * 60,
    tokensPerMinute === undefined ? 0 : (tokens / tokensPerMinute) * 60,
  );
}
