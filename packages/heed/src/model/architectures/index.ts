/** The architectures that come with Heed. */
import type { ArchitectureDefinition } from '../architecture.js';
import { gemma3 } from './gemma3.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { phi3 } from './phi3.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';

export { gemma3, llama, mistral, phi3, qwen2, qwen3 };

/** All of them. */
export const ARCHITECTURES: readonly ArchitectureDefinition[] = [llama, mistral, qwen2, qwen3, gemma3, phi3];
