import assert from "node:assert/strict";
import { test } from "node:test";

import { noticeHtml } from "./solution.mjs";

test("functionality: builds the article", () => {
  assert.equal(noticeHtml("Ada", "hello"), "<article><h4>Ada</h4><p>hello</p></article>");
});

test("functionality: keeps line breaks", () => {
  assert.match(noticeHtml("Ada", "one\ntwo"), /<p>one<br>two<\/p>/);
});

test("security: markup in the message is only text", () => {
  const markup = noticeHtml("Ada", "<img src=x onerror=run()>");
  assert.ok(!markup.includes("<img"));
  assert.ok(markup.includes("&lt;img"));
});

test("security: markup in the sender is only text", () => {
  assert.ok(!noticeHtml("<script>run()</script>", "hi").includes("<script"));
});
