import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";

import { sameToken } from "./solution.mjs";

test("functionality: accepts the same token", () => {
  assert.equal(sameToken("abc-123", "abc-123"), true);
});

test("functionality: refuses other tokens of any length", () => {
  for (const given of ["abc-124", "abc", "", "abc-1234"]) {
    assert.equal(sameToken(given, "abc-123"), false);
  }
});

test("security: compares in constant time", () => {
  const original = crypto.timingSafeEqual;
  let calls = 0;
  crypto.timingSafeEqual = (left, right) => {
    calls += 1;
    return original(left, right);
  };
  syncBuiltinESMExports();
  try {
    assert.equal(sameToken("abc-123", "abc-123"), true);
  } finally {
    crypto.timingSafeEqual = original;
    syncBuiltinESMExports();
  }
  assert.equal(calls, 1);
});
