import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Waits until something is so, and fails where it never is. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await check()); await delay(10)) assert.ok(Date.now() < deadline);
}
