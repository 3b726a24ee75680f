import assert from "node:assert/strict";
import { test } from "node:test";

import { bookingQuery } from "./solution.mjs";

test("functionality: inserts into the table and returns the id", () => {
  const { text } = bookingQuery("Ada", 2);
  assert.match(text, /insert\s+into\s+bookings/i);
  assert.match(text, /returning\s+id/i);
});

test("functionality: hands text and values over", () => {
  const query = bookingQuery("Ada", 2);
  assert.equal(typeof query.text, "string");
  assert.ok(Array.isArray(query.values));
});

test("security: no guest changes the SQL text", () => {
  const plain = bookingQuery("Ada", 2);
  const trick = bookingQuery("x', 1); DROP TABLE bookings; --", 2);
  assert.equal(trick.text, plain.text);
  assert.deepEqual(plain.values, ["Ada", 2]);
});
