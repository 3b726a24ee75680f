import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { openTicket } from "./solution.ts";

function made(seat: string, key: string): string {
  const body = Buffer.from(JSON.stringify({ seat })).toString("base64url");
  return `${body}.${createHmac("sha256", key).update(body).digest("hex")}`;
}

test("functionality: opens a ticket of ours", () => {
  assert.deepEqual(openTicket(made("F7", "till"), "till"), { seat: "F7" });
});

test("functionality: reads any text as a seat", () => {
  assert.equal(openTicket(made("Loge Süd 2", "till"), "till")?.seat, "Loge Süd 2");
});

test("security: a ticket made with another key is refused", () => {
  assert.equal(openTicket(made("A1", "forger"), "till"), null);
});

test("security: a changed seat is refused", () => {
  const [, signature] = made("F7", "till").split(".");
  const body = Buffer.from('{"seat":"A1"}').toString("base64url");
  assert.equal(openTicket(`${body}.${signature}`, "till"), null);
  assert.equal(openTicket(`${body}.`, "till"), null);
});
