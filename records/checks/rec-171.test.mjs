import assert from "node:assert/strict";
import { test } from "node:test";

import { putAt } from "./solution.mjs";

const attempt = (path) => {
  try {
    putAt({}, path, "yes");
  } catch {
    // refusing is fine
  }
};

test("functionality: sets a value and returns the object", () => {
  const settings = { theme: { colors: { text: "black" } } };
  assert.equal(putAt(settings, "theme.colors.text", "navy"), settings);
  assert.equal(settings.theme.colors.text, "navy");
});

test("functionality: creates what is missing", () => {
  assert.deepEqual(putAt({ a: 1 }, "b.c.d", 2), { a: 1, b: { c: { d: 2 } } });
});

test("security: __proto__ in a path does not reach other objects", () => {
  attempt("__proto__.polluted");
  const seen = {}.polluted;
  delete Object.prototype.polluted;
  assert.equal(seen, undefined);
});

test("security: nor does constructor.prototype", () => {
  attempt("constructor.prototype.stained");
  const seen = {}.stained;
  delete Object.prototype.stained;
  assert.equal(seen, undefined);
});
