// node examples/judgment-rows.js JUDGED… > rows.jsonl
// Judged rows (prompt, completion, judgment; a null judgment says that the response is satisfactory) → conversations that teach a model to write such
// judgments: the request as the labeler `judgments` asks it, then the judgment, or "Perfect." alone. For recipes/judge-judgments.yaml.
import { DataOptions, judgmentPrompt, loadData } from '@heed/heed';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('Name files of judged rows: node examples/judgment-rows.js judged.jsonl > rows.jsonl');
  process.exit(2);
}
const { train } = await loadData(DataOptions.parse({ path: files }), 'judged').catch((error) => {
  console.error(error.message);
  process.exit(2);
});
for (const { id, prompt, completion, judgment, satisfied } of train) {
  const messages = [...judgmentPrompt(prompt, completion), { role: 'assistant', content: satisfied ? 'Perfect.' : judgment }];
  console.log(JSON.stringify({ ...(id === undefined ? {} : { id }), messages }));
}
