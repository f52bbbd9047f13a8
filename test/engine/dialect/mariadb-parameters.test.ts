import assert from "node:assert/strict";
import { test } from "node:test";
import mariadb from "mariadb";
import { hideValues } from "../../../src/engine/hidden-values.ts";
import { hideMysqlValues } from "../../../src/engine/mysql/mysql-errors.ts";
import { freshDatabase } from "../../fixtures/databases.ts";

test("the parameters that the driver mariadb writes after a statement are hidden", async (t) => {
  const { hostname, port, username, password, pathname } = new URL(await freshDatabase(t, "mysql"));
  const connection = await mariadb.createConnection({
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    logParam: true,
  });
  t.after(() => connection.end());
  for (const parameters of [["secret", 1], ["it's - parameters:['x']"]]) {
    const error = await connection.query("select nothing where a = ?", parameters).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error && error.message.includes("parameters:"));
    const { message, stack = "" } = hideValues(error, hideMysqlValues(error));
    assert.match(message, /Unknown column/);
    assert.doesNotMatch(message + stack, /secret|it's|parameters:/);
  }
});
