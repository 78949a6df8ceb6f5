import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const pages = ['README.md', 'docs/engine.md'];
/** Their examples need a server or an adapter, or are executed by another test, so only their types are checked here. */
const typed = [...pages, 'docs/serve.md', 'docs/judges.md', 'docs/extending.md', 'docs/start.md'];
const read = (page: string): Promise<string> => readFile(join(ROOT, page), 'utf8');
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((m) => m[1]!);

// Inside the workspace, so that the examples find the packages by name, as a user's would.
const script = join(ROOT, 'packages/heed/test/readme-example.tmp.mjs');
afterEach(() => rm(script, { force: true }));

/** What TypeScript says of files that exist in memory alone, with the options of this repository. */
function typeFaults(files: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true, noUncheckedIndexedAccess: true, skipLibCheck: true, noEmit: true, types: ['node'], lib: ['lib.es2023.d.ts'],
  };
  const host = ts.createCompilerHost(options);
  const disk = { read: host.readFile.bind(host), has: host.fileExists.bind(host) };
  host.readFile = (name) => files.get(name) ?? disk.read(name);
  host.fileExists = (name) => files.has(name) || disk.has(name);
  const program = ts.createProgram([...files.keys()], options, host);
  // What they import was checked when it was built.
  const sources = [...files.keys()].map((name) => program.getSourceFile(name));
  const faults = [
    ...program.getOptionsDiagnostics(),
    ...sources.flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]),
  ];
  return faults.map(({ file, start, messageText }) => {
    const at =
      file === undefined || start === undefined ? '' : `${basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1}: `;
    return at + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
}

describe('what the pages say', () => {
  it.each(pages)('runs: the examples of %s', async (page) => {
    const examples = blocks(await read(page), 'ts');
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      await writeFile(script, ts.transpile(example, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }));
      const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: ROOT });
      for (const [, printed] of example.matchAll(/^console\.log\(.*\); \/\/ (.+)$/gm)) expect(stdout.trim()).toBe(printed);
    }
  });

  it('type-checks: the examples of all pages', async () => {
    const examples = new Map<string, string>();
    for (const page of typed) {
      for (const [i, text] of blocks(await read(page), 'ts').entries())
        examples.set(join(ROOT, 'packages/heed/test', `${page.replaceAll(/\W/g, '-')}-${i + 1}.mts`), text);
    }
    expect(examples.size).toBeGreaterThanOrEqual(typed.length);
    // The check itself: a row of a kind that there is none of.
    examples.set(join(ROOT, 'packages/heed/test/wrong.mts'), [...examples.values()][0]!.replace('judgment: null', 'judgement: null'));
    expect(typeFaults(examples)).toEqual([expect.stringMatching(/^wrong\.mts:\d+: .*judgement/s)]);
  });
});
