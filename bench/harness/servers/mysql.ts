import { type Connection, createConnection } from "mariadb";
import type { Server } from "./server.ts";

const url = new URL(process.env["MULTIBIND_BENCH_MYSQL"] ?? "mysql://root@127.0.0.1:3306/");

/** Databases on one MariaDB server; `MULTIBIND_BENCH_MYSQL` says which. */
export const mysql: Server = {
  family: "mysql",
  place: (name) => ({
    family: "mysql",
    name,
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  }),
  create: ({ name }) => onServer(`create database ${name} character set utf8mb4 collate utf8mb4_bin`),
  drop: ({ name }) => onServer(`drop database if exists ${name}`),
  async open({ name }) {
    const connection = await connect(name);
    return {
      async run(sql, values = []) {
        const rows: unknown = await connection.query(sql, [...values]);
        return Array.isArray(rows) ? rows : [];
      },
      close: () => connection.end(),
    };
  },
  async version(access) {
    const [row] = await access.run("select version() as version");
    return `MariaDB ${String(row!["version"]).split("-")[0]}`;
  },
  tables: {
    post: [
      `create table post (id int auto_increment primary key, authorId int not null, title varchar(200) not null, body text not null,
         published boolean not null, createdAt datetime(3) not null)`,
      "create index ix_post_author on post (authorId)",
    ],
    user: [
      `create table \`user\` (id int auto_increment primary key, name varchar(80) not null, email varchar(120) not null,
         admin boolean not null, createdAt datetime(3) not null)`,
    ],
  },
  placeholder: () => "?",
  encode: (value) => value,
  settle: (table) => [`analyze table \`${table}\``],
  // Its purge runs by itself.
  tidy: () => [],
};

async function onServer(sql: string): Promise<void> {
  const connection = await connect(undefined);
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}

function connect(database: string | undefined): Promise<Connection> {
  const { host, port, user, password } = mysql.place("");
  return createConnection({
    host,
    port,
    user,
    password,
    timezone: "Z",
    ...(database === undefined ? {} : { database }),
  });
}
