import assert from "node:assert/strict";
import { test } from "node:test";

import { shareLink } from "./solution.mjs";

test("functionality: has origin, path and id", () => {
  assert.match(shareLink("https://album.example"), /^https:\/\/album\.example\/s\/[A-Za-z0-9_-]{22,}$/);
});

test("functionality: each link is new", () => {
  const links = new Set(Array.from({ length: 50 }, () => shareLink("https://album.example")));
  assert.equal(links.size, 50);
});

test("security: does not depend on Math.random or the clock", () => {
  const { random } = Math;
  const { now } = Date;
  Math.random = () => 0.42;
  Date.now = () => 1_700_000_000_000;
  try {
    assert.notEqual(shareLink("https://album.example"), shareLink("https://album.example"));
  } finally {
    Math.random = random;
    Date.now = now;
  }
});
