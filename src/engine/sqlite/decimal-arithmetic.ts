import type { DecimalArithmetic } from "../family.ts";

/** How SQLite calculates with the sortable text that it keeps decimals as: by functions that each connection is given. */
export const decimalArithmetic: DecimalArithmetic = Object.freeze({
  isText: ({ kind, declared }) => kind === "numeric" && declared === undefined,
  name: (of) => `multibind_${of}`,
} satisfies DecimalArithmetic);
