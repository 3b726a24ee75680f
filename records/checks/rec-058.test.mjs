import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { readHelpPage } from "./solution.mjs";

const root = mkdtempSync(path.join(tmpdir(), "help-"));
after(() => rmSync(root, { recursive: true }));
const docs = path.join(root, "docs");
mkdirSync(path.join(docs, "setup"), { recursive: true });
mkdirSync(path.join(root, "docs-old"));
writeFileSync(path.join(docs, "index.md"), "# Help");
writeFileSync(path.join(docs, "setup", "windows.md"), "# Windows");
writeFileSync(path.join(root, "plans.md"), "hidden");
writeFileSync(path.join(root, "docs-old", "index.md"), "hidden");

test("functionality: reads a page at the top", async () => {
  assert.equal(await readHelpPage(docs, "index"), "# Help");
});

test("functionality: reads a page in a sub-folder", async () => {
  assert.equal(await readHelpPage(docs, "setup/windows"), "# Windows");
});

test("security: refuses slugs that leave the folder", async () => {
  for (const slug of ["../plans", "setup/../../plans", "../docs-old/index", path.join(root, "plans")]) {
    await assert.rejects(async () => readHelpPage(docs, slug));
  }
});
