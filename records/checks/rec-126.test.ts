import assert from "node:assert/strict";
import { test } from "node:test";

import { profileCard, type Guest } from "./solution.ts";

const guest: Guest = {
  name: "Ada",
  bio: "likes tea",
  joined: "2024-05-01",
  email: "ada@mail.example",
  phone: "555-0101",
  notes: "paid late",
};

test("functionality: is JSON with the name", () => {
  assert.equal(JSON.parse(profileCard(guest)).name, "Ada");
});

test("functionality: holds what the page shows", () => {
  const card = JSON.parse(profileCard(guest));
  assert.deepEqual([card.bio, card.joined], ["likes tea", "2024-05-01"]);
});

test("security: nothing for the staff is in it", () => {
  const card = profileCard(guest);
  for (const secret of [guest.email, guest.phone, guest.notes]) assert.ok(!card.includes(secret));
});

test("security: a field added later stays inside", () => {
  const later = { ...guest, cardNumber: "4000-1234" };
  assert.ok(!profileCard(later).includes("4000-1234"));
});
