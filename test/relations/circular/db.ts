import { Multibind } from "../../../src/index.ts";

export const db = new Multibind<"auth">();
