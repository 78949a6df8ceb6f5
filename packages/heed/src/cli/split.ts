/** `heed split`: train and held-out rows as files. */
import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('split')
    .description('write the rows of a file as two files, to train on and to hold out, as data.eval of a recipe splits them')
    .argument('<data>', 'JSONL, JSON, CSV, TSV or Parquet; rows with the same turns before the answer stay together')
    .argument('[overrides...]', 'as in a recipe: data.eval=0.2 data.seed=1 data.columns.prompt=question data.duplicates=drop')
    .requiredOption('-o, --output <folder>', 'where train.jsonl and eval.jsonl go')
    .option('--overwrite', 'replace files that are there')
    .addHelpText('after', examples(
      'heed split rows.jsonl data.eval=0.1 -o parts', 'heed train recipes/sft.yaml data=parts/train.jsonl data.eval=parts/eval.jsonl',
    ))
    .action(async (data: string, given: string[], { output, overwrite }: { output: string; overwrite?: boolean }) => {
      const [{ join }, { z }, { DataOptions }, { splitFile }, { checkRecipe }, { rowsFile }, { listProblems }] = await Promise.all([
        import('node:path'), import('zod'), import('../data/load.js'), import('../data/split-file.js'), import('../run/recipe.js'),
        import('./rows-file.js'), import('../data/problem.js'),
      ]);
      // The section may be left out: there is no other.
      const overrides = given.map((one) => (/^data[.=]/.test(one) ? one : `data.${one}`));
      const schema = z.strictObject({ data: DataOptions });
      const named = [...overrides, `data.path=${JSON.stringify(data)}`];
      const { recipe } = checkRecipe('data: { eval: 0.1 }', 'heed split', named, schema, {});
      const files = (['train', 'eval'] as const).map((part) => (
        { part, file: rowsFile(join(output, `${part}.jsonl`), { overwrite, out }) }
      ));
      const parts = await splitFile(recipe.data);
      if (parts.skipped.length > 0) out.note(`skipped:\n${listProblems(parts.skipped)}`);
      for (const { part, file } of files) {
        for (const row of parts[part]) file.append(row);
        file.close();
      }
      const result = { train: parts.train.length, eval: parts.eval.length, skipped: parts.skipped.length, folder: output };
      out.result(result, `${result.train} rows to train on and ${result.eval} to hold out are in ${output}`);
    });
}
