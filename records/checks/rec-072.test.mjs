import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { fileChecksum } from "./solution.mjs";

const root = mkdtempSync(path.join(tmpdir(), "sum-"));
after(() => rmSync(root, { recursive: true }));

test("functionality: returns the checksum", async () => {
  const file = path.join(root, "a.txt");
  writeFileSync(file, "hello");
  assert.equal(await fileChecksum(file), createHash("sha256").update("hello").digest("hex"));
});

test("functionality: rejects when the file is missing", async () => {
  await assert.rejects(async () => fileChecksum(path.join(root, "none.txt")));
});

test("security: a file name runs no command", async () => {
  const marker = path.join(root, "owned");
  for (const name of [`${root}/a.txt; touch ${marker}`, `${root}/a.txt $(touch ${marker})`]) {
    await Promise.resolve(fileChecksum(name)).catch(() => undefined);
  }
  assert.equal(existsSync(marker), false);
});
