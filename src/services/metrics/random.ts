/** A source of numbers in [0, 1), the same sequence for the same seed on every machine. */
export type Random = () => number;

/**
 * Small fast counting generator, 32 bit (sfc32 of Chris Doty-Humphrey's PractRand, public domain), seeded by one
 * number. The first outputs are thrown away, as its author advises, so that neighbouring seeds part.
 */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i += 1) next();
  return next;
}
