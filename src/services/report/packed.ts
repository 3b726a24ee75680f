/**
 * Data inside the page that is read on demand: JSON, deflated, as printable text. The page opens before it is read, and
 * nothing that a dataset or a model wrote stands in the file as text.
 */
import { promisify } from 'node:util';
import { deflateRaw, type ZlibOptions } from 'node:zlib';
import { rawElement, type Html } from './html.ts';

/**
 * The printable characters of ASCII without `&`, `<` and `\`, which mean something in a page or its script. Two of them
 * carry 13 bits (91² > 2¹³): a sixth smaller than base64 makes of what it adds.
 */
const ALPHABET = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i))
  .filter((character) => !'&<\\'.includes(character))
  .join('');
const BITS = 13;

const deflate = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);

export interface Packed {
  /** Of the deflated JSON: its last character of text may carry bits that are none of it. */
  readonly bytes: number;
  readonly text: string;
}

export async function pack(value: unknown): Promise<Packed> {
  const deflated = await deflate(Buffer.from(JSON.stringify(value)), { level: 9, memLevel: 9 });
  return { bytes: deflated.length, text: printable(deflated) };
}

export function packedElement(id: string, { bytes, text }: Packed): Html {
  return rawElement('script', text, ` type="application/octet-stream" id="${id}" data-bytes="${bytes}"`);
}

/** Bits in order of significance, 13 at a time, low digit first. */
export function printable(bytes: Uint8Array): string {
  const base = ALPHABET.length;
  const out = new Uint8Array(Math.ceil((bytes.length * 8) / BITS) * 2);
  let held = 0;
  let bits = 0;
  let end = 0;
  const put = (value: number): void => {
    out[end] = ALPHABET.charCodeAt(value % base);
    out[end + 1] = ALPHABET.charCodeAt(Math.floor(value / base));
    end += 2;
  };
  for (const byte of bytes) {
    held |= byte << bits;
    bits += 8;
    if (bits < BITS) continue;
    put(held & ((1 << BITS) - 1));
    held >>>= BITS;
    bits -= BITS;
  }
  if (bits > 0) put(held);
  return Buffer.from(out.buffer, 0, end).toString('latin1');
}
