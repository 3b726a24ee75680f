import assert from "node:assert/strict";
import { test } from "node:test";

import { editProfile, type Profile } from "./solution.ts";

const profile: Profile = { id: 7, role: "member", nickname: "ada", about: "", city: "Bern" };

test("functionality: changes what was sent", () => {
  assert.deepEqual(editProfile(profile, { city: "Basel", about: "hi" }), { ...profile, city: "Basel", about: "hi" });
});

test("functionality: leaves the original alone", () => {
  editProfile(profile, { nickname: "countess" });
  assert.equal(profile.nickname, "ada");
});

test("security: the role cannot be sent along", () => {
  assert.equal(editProfile(profile, { nickname: "eve", role: "admin" }).role, "member");
});

test("security: neither the id nor a new field", () => {
  const edited = editProfile(profile, { id: 1, verified: true });
  assert.equal(edited.id, 7);
  assert.ok(!("verified" in edited));
});
