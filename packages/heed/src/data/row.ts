/** What a kind of row is. `rows/` holds one file for each kind. */
import { z } from 'zod';
import type { Message } from '../text/template.js';
import type { Layout, Need } from './columns.js';
import type { Context } from './row-cells.js';
import type { Source } from './source.js';
import type { Table } from './table.js';

/** What rows of every kind have. */
export interface BaseRow {
  readonly source: Source;
  readonly id?: string;
}

/** Rows with the same thing to say about them. */
export interface Remark {
  readonly name: string;
  readonly rows: readonly BaseRow[];
  /** What it means and what can be done, one sentence. */
  readonly advice: string;
}

/** What the doctor shows of rows of one kind. */
export interface View {
  readonly tables?: readonly Table[];
  readonly remarks?: readonly Remark[];
}

/** What a row says of its own content. Rows that say different things of the same content contradict each other. */
export interface Verdict {
  readonly says: string | boolean;
  /** The word under which the doctor counts the row: "satisfied". Default: not counted. */
  readonly word?: string;
  /** The content, where its order does not matter (the two responses of a pair). Default: the responses. */
  readonly about?: readonly string[];
}

/** Everything that Heed knows of one kind of row. */
export interface RowDefinition<Row extends BaseRow = BaseRow> {
  readonly kind: string;
  /** The columns that are read, by the names that `data.columns` takes; `id` is read of every row. */
  readonly columns: readonly string[];
  /** True where a row also keeps the file's other columns. */
  readonly keepsOthers?: boolean;
  /** True where the texts are read alone, and no model learns to write them. Default: false. */
  readonly onlyRead?: boolean;
  /** Columns that say how good a response is and that this kind does not read: refused where nothing else says it. Default: none. */
  readonly unheard?: readonly string[];
  /** The check of rows that come from code. */
  readonly schema: z.ZodType<Row>;
  /** Columns without which no row of the file can be read. @throws UserError where `data.columns` contradicts itself for this kind */
  needs(layout: Layout): readonly Need[];
  /** Makes a row of a record of a file. @throws RowFault with the column at fault */
  read(record: Context): Row;
  /** The turns that are responded to; none for a text that answers nothing. Rows with equal prompts stay on one side of a split. */
  prompt(row: Row): readonly Message[];
  /** The texts that respond to the prompt, or stand alone. */
  responses(row: Row): readonly string[];
  /** What else people or judges wrote in the row: searched for broken characters. Default: nothing. */
  notes?(row: Row): readonly string[];
  /** Default: rows of this kind have no verdict. */
  verdict?(row: Row): Verdict | undefined;
  /** What is particular to the kind. Default: nothing. */
  view?(rows: readonly Row[]): View;
}

/** Defines a kind of row; the type of its rows is the schema's. */
export const defineRow = <Row extends BaseRow>(definition: RowDefinition<Row>): RowDefinition<Row> => definition;

/** One turn of a conversation: the check of what `text` calls a Message. A key that it does not name is an error: nothing would use it. */
export const MessageSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
  weight: z.union([z.literal(0), z.literal(1)]).optional(),
  tool_calls: z.array(z.unknown()).optional(),
  tool_call_id: z.string().optional(),
  name: z.string().optional(),
  reasoning_content: z.string().optional(),
  thinking: z.string().optional(),
  tools: z.array(z.unknown()).optional(),
}) satisfies z.ZodType<Message>;

/** Parts of the schemas of several kinds. */
export const shape = {
  base: {
    source: z.object({ file: z.string(), line: z.number(), unit: z.enum(['line', 'row']).optional() }),
    id: z.string().optional(),
  },
  prompt: z.array(MessageSchema).min(1),
  /** Numbers given to a response, by what was rated: { helpful: 4, harmless: 1 }. */
  scores: z.record(z.string(), z.number()).optional(),
  /** Whether somebody called the response good; absent where that is unknown. */
  satisfied: z.boolean().optional(),
};

/** Whether two responses are equal, so that neither is the better one. White space around them is not what a preference is about. */
export const sameText = (a: string, b: string): boolean => a.trim() === b.trim();

/** "satisfied" or "unsatisfied", as the doctor counts rows that were judged. */
export const satisfiedVerdict = (satisfied: boolean | undefined): Verdict | undefined =>
  satisfied === undefined ? undefined : { says: satisfied, word: satisfied ? 'satisfied' : 'unsatisfied' };
