import assert from "node:assert/strict";
import { test } from "node:test";

import { mergeSettings } from "./solution.mjs";

test("functionality: merges nested objects", () => {
  const target = { theme: { dark: false, font: "serif" }, size: 1 };
  const merged = mergeSettings(target, { theme: { dark: true }, size: 2 });
  assert.equal(merged, target);
  assert.deepEqual(merged, { theme: { dark: true, font: "serif" }, size: 2 });
});

test("functionality: replaces arrays", () => {
  assert.deepEqual(mergeSettings({ tags: [1, 2, 3] }, { tags: [4] }), { tags: [4] });
});

test("security: does not change the prototype of other objects", () => {
  for (const text of ['{"__proto__": {"isAdmin": true}}', '{"constructor": {"prototype": {"isAdmin": true}}}']) {
    mergeSettings({}, JSON.parse(text));
  }
  const { isAdmin } = {};
  delete Object.prototype.isAdmin;
  assert.equal(isAdmin, undefined);
});
