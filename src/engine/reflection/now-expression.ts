const NOW = /^(?:current_timestamp|now)(?:\s*\(\s*\d?\s*\))?$/i;

/** Whether SQL says "now", in whichever of the ways that databases have for it. */
export function isNow(expression: string): boolean {
  return NOW.test(expression);
}
