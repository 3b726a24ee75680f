/**
 * What fits on a GPU: the largest model of each method, by arithmetic. Pure. Meant to choose a machine; the trainer
 * itself estimates with the real model's shape before it starts.
 *
 * Bytes of a training step with one row of 4,096 tokens, bf16, activations recomputed:
 *   weights and states   LoRA 2 per weight; QLoRA 0.52 (4 bits and their scales), but 2 in the embeddings; full 16
 *                        (value, gradient and two Adam moments in fp32) and 2 for the copy in bf16
 *   adapter              0.1 per weight (rank 16 on all linear layers is about 0.6 % of the weights, 16 bytes each)
 *   activations          per token: a hidden vector a layer, and one layer's 20 hidden and 7 feed-forward vectors
 *   logits               per token: three copies in fp32 of a vocabulary of 152,000
 *   runtime              1.5 GB (CUDA context, kernels), and 5 % of the GPU for fragmentation
 * A model of P weights is taken to have L layers of width h with L = h/128, feed-forward 3.5 h, so P ≈ 12 L h² (7 B:
 * h = 4,200, L = 33).
 */

const TOKENS = 4096;
const VOCABULARY = 152_000;
const RUNTIME_BYTES = 1.5e9;
const FRAGMENTATION_SHARE = 0.05;
const BF16_BYTES = 2;
const ADAPTER_BYTES = 0.1;
const NF4_BYTES = 0.52;
const FULL_BYTES = 18;
/** Beyond any model that one GPU takes. */
const LARGEST = 2e12;

/** Weights of the largest model of each method; 0 where not even a small one fits. */
export interface Capacity {
  readonly loraParameters: number;
  readonly qloraParameters: number;
  readonly fullParameters: number;
}

export function capacityOf(freeBytes: number): Capacity {
  const usable = freeBytes * (1 - FRAGMENTATION_SHARE) - RUNTIME_BYTES;
  const largest = (weightBytes: (parameters: number) => number): number =>
    largestWithin(usable, (parameters) => weightBytes(parameters) + activationBytes(parameters));
  return {
    loraParameters: largest((parameters) => (BF16_BYTES + ADAPTER_BYTES) * parameters),
    qloraParameters: largest((parameters) => {
      const embeddings = Math.min(parameters, 2 * VOCABULARY * widthOf(parameters));
      const body = parameters - embeddings;
      return NF4_BYTES * body + BF16_BYTES * embeddings + ADAPTER_BYTES * parameters;
    }),
    fullParameters: largest((parameters) => FULL_BYTES * parameters),
  };
}

function widthOf(parameters: number): number {
  return Math.cbrt((parameters * 128) / 12);
}

function activationBytes(parameters: number): number {
  const width = widthOf(parameters);
  const layers = width / 128;
  const perToken = layers * width * BF16_BYTES + (20 + 7 * 3.5) * width * BF16_BYTES + 3 * 4 * VOCABULARY;
  return TOKENS * perToken;
}

/** By halving: the need grows with the model. */
function largestWithin(usable: number, needOf: (parameters: number) => number): number {
  if (needOf(1e6) > usable) return 0;
  let [fits, tooLarge] = [1e6, LARGEST];
  while (tooLarge / fits > 1.001) {
    const middle = Math.sqrt(fits * tooLarge);
    if (needOf(middle) <= usable) fits = middle;
    else tooLarge = middle;
  }
  return Math.round(fits);
}

/** `LoRA up to about 29 B parameters …`: in people's words. */
export function describeCapacity({ loraParameters, qloraParameters, fullParameters }: Capacity): string {
  const upTo = (name: string, parameters: number): string =>
    parameters === 0 ? `no ${name}` : `${name} up to about ${billions(parameters)} B`;
  const methods = [
    upTo('LoRA', loraParameters),
    upTo('QLoRA', qloraParameters),
    upTo('full', fullParameters),
  ].join(', ');
  return `${methods} parameters (bf16, ${TOKENS.toLocaleString('en-US')} tokens, one row at a time, gradient checkpointing)`;
}

function billions(parameters: number): string {
  const count = parameters / 1e9;
  return count < 10 ? count.toFixed(1) : String(Math.floor(count));
}
