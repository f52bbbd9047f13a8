import { integer, Multibind } from "../../../src/index.ts";
import type { Case } from "../read/cases.ts";
import { Fields } from "../read/fields.ts";
import type { JsonObject } from "../read/json.ts";

/**
 * Turns names in camel case into snake case. The original does that to the names of classes, to name their tables; here
 * tables are named, and `columnNames: "snake_case"` does it to properties.
 */
export function runConvertCase({ inputs }: Case): JsonObject {
  const fields = new Fields(inputs, "inputs");
  fields.ignore("kind");
  const names = fields.texts("class_names");
  fields.end();
  const db = new Multibind({ columnNames: "snake_case" });
  return {
    table_names: Object.fromEntries(
      names.map((name, index) => {
        const table = db.table(`t${index}`, { [name]: integer().primaryKey() });
        return [name, table.columnList[0]!.name];
      }),
    ),
  };
}
