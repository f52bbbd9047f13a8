import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { integer, Multibind, text } from "../src/index.ts";

test("console.log of engines and metadata shows what is where, and no password", async () => {
  const db = new Multibind<"auth">();
  const user = db.table("user", { id: integer().primaryKey(), name: text().named("full_name") }, { bindKey: "auth" });
  await using app = db.init({ databaseUri: "sqlite://", binds: { auth: "mysql://ada:secret@localhost/users" } });

  const auth = 'Engine(bind "auth", mysql://ada:***@localhost/users?charset=utf8mb4)';
  assert.equal(inspect(app.engines.get("auth")), auth);
  assert.match(
    inspect(app.engines),
    /^Map\(2\) \{\s*'auth' => Engine\(.*\),\s*null => Engine\(the default bind, .*\)\s*\}$/,
  );
  assert.equal(inspect(user), 'Table("user" (bind "auth"): id, full_name)');
  assert.equal(inspect(db.metadata), "Metadata(the default bind: no tables)");
  assert.match(inspect(db.metadatas), /'auth' => Metadata\(bind "auth": user\)/);
  assert.doesNotMatch(inspect({ db, app }, { depth: 20, showHidden: true }), /secret/);
});
