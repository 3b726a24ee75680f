import assert from "node:assert/strict";
import { test } from "node:test";

import { onPrice } from "./solution.mjs";

const shop = "https://shop.example";
const shown = (origin, data) => {
  const seen = [];
  onPrice({ origin, data }, shop, (cents) => seen.push(cents));
  return seen;
};

test("functionality: shows the shop's price", () => {
  assert.deepEqual(shown(shop, { cents: 1990 }), [1990]);
});

test("functionality: each message is shown", () => {
  assert.deepEqual([...shown(shop, { cents: 5 }), ...shown(shop, { cents: 0 })], [5, 0]);
});

test("security: another site is not believed", () => {
  assert.deepEqual(shown("https://other.example", { cents: 1 }), []);
});

test("security: nor is a name that only starts alike", () => {
  assert.deepEqual(shown("https://shop.example.net", { cents: 1 }), []);
  assert.deepEqual(shown("http://shop.example", { cents: 1 }), []);
});
