import { DataTypes, type Model, type ModelStatic, Op, Sequelize } from "sequelize";
import type { NewPost, NewUser, Post, User } from "../data.ts";
import { type Contender, type Database, LIST_ROWS, newTitle, POOL_SIZE, UPDATED_ROWS } from "./contender.ts";
import { type AuthSide, type MainSide, storeOf } from "./sides.ts";

type PostModel = Model<Post, NewPost> & Post;
type UserModel = Model<User, NewUser> & User;

/** Sequelize, with an instance for each database. It has no identity map. */
export const sequelize: Contender = {
  name: "sequelize",
  label: "Sequelize",
  sqliteInstants: "text with offset",
  drivers: { sqlite: "sqlite3", postgres: "pg", mysql: "mariadb" },
  packages: ["sequelize"],
  async open(binds) {
    return storeOf(binds, await mainSide(binds.main), await authSide(binds.auth));
  },
};

// Sequelize changes what it is given, so each model gets its own.
const id = () => ({ type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true });
const createdAt = () => ({ type: DataTypes.DATE(3), allowNull: false });

async function mainSide(database: Database): Promise<MainSide> {
  const source = await connect(database);
  const posts: ModelStatic<PostModel> = source.define(
    "post",
    {
      id: id(),
      authorId: { type: DataTypes.INTEGER, allowNull: false },
      title: { type: DataTypes.STRING(200), allowNull: false },
      body: { type: DataTypes.TEXT, allowNull: false },
      published: { type: DataTypes.BOOLEAN, allowNull: false },
      createdAt: createdAt(),
    },
    { timestamps: false, freezeTableName: true },
  );
  return {
    get: (key) => posts.findByPk(key),
    list: (after) =>
      posts.findAll({ where: { published: true, id: { [Op.gt]: after } }, order: [["id", "ASC"]], limit: LIST_ROWS }),
    byAuthor: (authorId) => posts.findAll({ where: { authorId }, order: [["id", "ASC"]] }),
    insert: (values) => posts.create(values),
    insertAll: (values) => insertAll(database, source, posts, values),
    async update(after, title) {
      const changed = await posts.findAll({
        where: { id: { [Op.gt]: after } },
        order: [["id", "ASC"]],
        limit: UPDATED_ROWS,
      });
      for (const post of changed) post.title = newTitle(title, post);
      await source.transaction(async (transaction) => {
        for (const post of changed) await post.save({ transaction });
      });
    },
    close: () => source.close(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  const source = await connect(database);
  const users: ModelStatic<UserModel> = source.define(
    "user",
    {
      id: id(),
      name: { type: DataTypes.STRING(80), allowNull: false },
      email: { type: DataTypes.STRING(120), allowNull: false },
      admin: { type: DataTypes.BOOLEAN, allowNull: false },
      createdAt: createdAt(),
    },
    { timestamps: false, freezeTableName: true },
  );
  return {
    get: (key) => users.findByPk(key, { rejectOnEmpty: true }),
    insertAll: (values) => insertAll(database, source, users, values),
    close: () => source.close(),
  };
}

function insertAll<M extends Model>(
  { family }: Database,
  source: Sequelize,
  model: ModelStatic<M>,
  rows: readonly object[],
): Promise<M[]> {
  // On SQLite, keys come back only if they are asked for by name.
  const returning = family === "sqlite" ? (["id"] as (keyof M["_attributes"])[]) : true;
  return source.transaction((transaction) =>
    model.bulkCreate(rows as M["_creationAttributes"][], { transaction, returning }),
  );
}

async function connect({ family, name, host, port, user, password }: Database): Promise<Sequelize> {
  const source =
    family === "sqlite"
      ? new Sequelize({ dialect: "sqlite", storage: name, logging: false })
      : new Sequelize(name, user, password, {
          host,
          port,
          dialect: family === "postgres" ? "postgres" : "mariadb",
          logging: false,
          timezone: "+00:00",
          pool: { max: POOL_SIZE },
        });
  await source.authenticate();
  return source;
}
