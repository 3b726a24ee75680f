import assert from "node:assert/strict";
import { test } from "node:test";

import { parseChartOptions } from "./solution.mjs";

test("functionality: reads the options", () => {
  assert.deepEqual(parseChartOptions('{"width": 300, "legend": true}'), { width: 300, height: 200, legend: true });
});

test("functionality: fills in the defaults", () => {
  assert.deepEqual(parseChartOptions("{}"), { width: 400, height: 200, legend: false });
});

test("security: runs no code in the text", () => {
  globalThis.chartRan = false;
  for (const text of ['{"width": (globalThis.chartRan = true, 1)}', "globalThis.chartRan = true", "(() => { globalThis.chartRan = true; return {}; })()"]) {
    try {
      parseChartOptions(text);
    } catch {
      continue;
    }
  }
  assert.equal(globalThis.chartRan, false);
});
