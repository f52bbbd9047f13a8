import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignKey, InvalidOptionError, integer, Multibind, SchemaError } from "../../src/index.ts";

const id = integer().primaryKey();

test("an option of a reference that there is not is refused, and the one that was meant is named", () => {
  assert.throws(
    () => integer().references("user.id", { ondelete: "cascade" } as never),
    (error) => {
      assert.ok(error instanceof InvalidOptionError);
      assert.match(error.message, /Did you mean "onDelete"\?/);
      return true;
    },
  );
});

test("an action of a reference that there is not is refused: it would become a part of `create table`", () => {
  const action = "cascade; drop table user" as never;
  assert.throws(() => integer().references("user.id", { onDelete: action }), InvalidOptionError);
  assert.throws(() => integer().references("user.id", { onUpdate: action }), InvalidOptionError);
  assert.throws(() => foreignKey(["userId"], "user", ["id"], { onDelete: action }), InvalidOptionError);
});

test("a table has one column that counts versions", () => {
  const columns = { id, one: integer().version(), two: integer().version() };
  assert.throws(() => new Multibind().table("t", columns), SchemaError);
});
