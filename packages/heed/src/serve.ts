/**
 * `@heed/heed/serve`: a model and its adapters behind OpenAI's API.
 *
 * @packageDocumentation
 */
export { type RunningServer, type ServerOptions, startServer } from './serve/server.js';
export { type Voice, type Voices, openVoices } from './serve/voices.js';
