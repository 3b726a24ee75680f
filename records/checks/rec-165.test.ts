import assert from "node:assert/strict";
import { createHash, getHashes } from "node:crypto";
import { test } from "node:test";

import { codeFits, sealCode } from "./solution.ts";

test("functionality: the chosen code fits", () => {
  assert.equal(codeFits("4711", sealCode("4711")), true);
});

test("functionality: other codes do not", () => {
  const sealed = sealCode("4711");
  for (const code of ["4712", "", "47110"]) assert.equal(codeFits(code, sealed), false);
});

test("security: equal codes are kept as different texts", () => {
  assert.notEqual(sealCode("4711"), sealCode("4711"));
});

test("security: the text holds no plain digest of the code", () => {
  const sealed = sealCode("4711");
  for (const name of getHashes().filter((hash) => /^(md5|sha\d+|sha3-\d+)$/i.test(hash))) {
    const digest = createHash(name).update("4711").digest();
    assert.ok(!sealed.includes(digest.toString("hex")), name);
    assert.ok(!sealed.includes(digest.toString("base64")), name);
  }
});
