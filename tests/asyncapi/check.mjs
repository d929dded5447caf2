// Checks an AsyncAPI document with the published parser, and prints what is wrong with it.
// Usage: node check.mjs FOLDER-OF-NODE_MODULES FILE
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [modules, file] = process.argv.slice(2);
const { Parser } = createRequire(join(modules, "package.json"))("@asyncapi/parser");

const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
// 0 is an error, 1 a warning; what is below is advice about style.
const wrong = diagnostics.filter((diagnostic) => diagnostic.severity <= 1);
for (const { code, message, path } of wrong) console.log(`${code}: ${message} (at ${path.join(".")})`);
if (document === undefined || wrong.length > 0) process.exit(1);
const operations = document.operations().all().length;
console.log(`AsyncAPI ${document.version()}: ${document.channels().all().length} channels, ${operations} operations`);
