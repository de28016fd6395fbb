// Runs inside the sandbox, never a program of its own: TypeScript to JavaScript for many programs at once.
// stdin file (argv[3]): one JSON string a line. stdout: per line {"js": text} or {} where only tsc may decide.
// argv[2]: folder of the compiler. Emits what `tsc --target es5` emits, without the check of types.
"use strict";
const fs = require("fs");
const ts = require(process.argv[2]);

// Whether tsc ends with status 2 is certain when the program is no clean compile: it imports 'assert', which
// nothing declares without @types/node, or its syntax is broken. Where types can change what is emitted, or a
// declaration could supply 'assert', tsc itself decides.
const NEEDS_CHECKER = /\basync\b|\bawait\b|\bconst\s+enum\b|\bdeclare\b|\bexport\b|\bnamespace\b|\bmodule\b|\/\/\/|@|\bimport\s+\w+\s*=/;

function emitted(source) {
  if (NEEDS_CHECKER.test(source)) return {};
  const file = ts.createSourceFile("t.ts", source, ts.ScriptTarget.ES5, true);
  const importsAssert = file.statements.some((s) => ts.isImportDeclaration(s) && s.moduleSpecifier.text === "assert");
  if (!importsAssert && file.parseDiagnostics.length === 0) return {};
  const options = { target: ts.ScriptTarget.ES5, module: ts.ModuleKind.CommonJS };
  return { js: ts.transpileModule(source, { compilerOptions: options, fileName: "t.ts" }).outputText };
}

for (const line of fs.readFileSync(process.argv[3], "utf8").split("\n")) {
  if (line) fs.writeSync(1, JSON.stringify(emitted(JSON.parse(line))) + "\n");
}
