import assert from "node:assert/strict";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { DatabaseConnectionError, Multibind, sql } from "../../src/index.ts";
import { certificate } from "../fixtures/certificate.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { postgresServer } from "../fixtures/postgres-server.ts";
import { serverUser } from "../fixtures/server-process.ts";

/** The cipher of the connection that a URL gives, empty where it is plain. */
async function cipherOf(url: string): Promise<unknown> {
  await using app = new Multibind().init({ databaseUri: url });
  await using session = app.session();
  const query = url.startsWith("postgresql")
    ? sql<{ cipher: string }>`select coalesce(cipher, '') as cipher from pg_stat_ssl where pid = pg_backend_pid()`
    : sql<{
        cipher: string;
      }>`select variable_value as cipher from information_schema.session_status where variable_name = 'ssl_cipher'`;
  const { rows } = await session.execute(query, { readOnly: true });
  return rows[0]?.cipher;
}

describe("an encrypted connection", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "multibind-tls-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function encrypting(t: TestContext, kind: "postgres" | "mysql") {
    const own = await mkdtemp(join(folder, `${kind}-`));
    if (serverUser(kind).uid !== undefined) await chown(folder, serverUser(kind).uid!, serverUser(kind).gid!);
    const { certificate: crt, key } = await certificate(own, "server", kind);
    const other = await certificate(own, "other", kind);
    const server =
      kind === "postgres"
        ? await postgresServer(t, { ssl: "on", ssl_cert_file: crt, ssl_key_file: key })
        : await mariadbServer(t, { "ssl-cert": crt, "ssl-key": key });
    const at = (parameters: string) => `${server.url}?${parameters}`;
    return { at, crt, other: other.certificate };
  }

  test("is made on PostgreSQL with the authority that the URL names, and with no other", async (t) => {
    const { at, crt, other } = await encrypting(t, "postgres");
    assert.equal(await cipherOf(at("sslmode=disable")), "");
    assert.notEqual(await cipherOf(at("sslmode=require")), "");
    for (const mode of ["", "&sslmode=require", "&sslmode=verify-full"]) {
      assert.notEqual(await cipherOf(at(`sslrootcert=${crt}${mode}`)), "", mode);
      await assert.rejects(cipherOf(at(`sslrootcert=${other}${mode}`)), DatabaseConnectionError, mode);
    }
    await assert.rejects(cipherOf(at("sslmode=verify-full")), DatabaseConnectionError);
    await assert.rejects(cipherOf(at(`sslrootcert=${crt}.not-there`)), {
      name: "DatabaseConnectionError",
      message: /not-there/,
    });
  });

  test("is made on MariaDB with the authority that the URL names, and with no other", async (t) => {
    const { at, crt, other } = await encrypting(t, "mysql");
    assert.equal(await cipherOf(at("ssl=false")), "");
    assert.notEqual(await cipherOf(at(`ssl_ca=${crt}`)), "");
    await assert.rejects(cipherOf(at(`ssl_ca=${other}`)), DatabaseConnectionError);
    await assert.rejects(cipherOf(at("ssl=true")), DatabaseConnectionError);
  });
});
