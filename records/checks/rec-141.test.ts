import assert from "node:assert/strict";
import { test } from "node:test";

import { readOrder } from "./solution.ts";

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("functionality: joins the chunks, also within a letter", async () => {
  assert.deepEqual(await readOrder(pieces('{"cake": "Käse", "pieces": 2}', 3)), { cake: "Käse", pieces: 2 });
});

test("functionality: refuses what is not JSON", async () => {
  await assert.rejects(readOrder(pieces("two cakes", 4)));
});

test("functionality: an order of 60 kB is fine", async () => {
  const note = "x".repeat(60_000);
  assert.deepEqual(await readOrder(pieces(JSON.stringify({ note }), 4096)), { note });
});

test("security: stops reading soon after the limit", async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; sent < 2000; sent += 1) yield Buffer.alloc(16_384, 0x20);
  }
  await assert.rejects(readOrder(endless()));
  assert.ok(sent < 10, `read ${sent} chunks`);
});

test("security: sound JSON that is too long fails as well", async () => {
  await assert.rejects(readOrder(pieces(JSON.stringify("x".repeat(200_000)), 4096)));
});
