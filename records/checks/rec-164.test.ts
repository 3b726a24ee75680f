import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { unwrapText, wrapText } from "./solution.ts";

const key = randomBytes(32);
const recipe = "two eggs, two eggs, two eggs, two eggs, a pinch of salt";

test("functionality: gives the text back", () => {
  for (const text of [recipe, "", "Crème brûlée"]) assert.equal(unwrapText(key, wrapText(key, text)), text);
});

test("functionality: is base64 that does not show the text", () => {
  const wrapped = wrapText(key, recipe);
  assert.match(wrapped, /^[A-Za-z0-9+/]+=*$/);
  assert.ok(!Buffer.from(wrapped, "base64").toString("utf8").includes("eggs"));
});

test("security: the same text looks different each time", () => {
  assert.notEqual(wrapText(key, recipe), wrapText(key, recipe));
});

test("security: an altered text is refused", () => {
  const bytes = Buffer.from(wrapText(key, recipe), "base64");
  const at = bytes.length - 40;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  assert.throws(() => unwrapText(key, bytes.toString("base64")));
});
