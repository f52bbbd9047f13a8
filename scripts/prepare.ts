/** Builds the package where nothing is built yet: npm runs this after an install, also one from git. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

if (!existsSync("dist")) execFileSync("npm", ["run", "build"], { stdio: "inherit" });
