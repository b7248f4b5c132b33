/**
 * The simulation with a planted bug: everything of this checkout is loaded once more, under an address that names the
 * mutation, and the piece is replaced as its file is read. What comes from packages is shared.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MUTATIONS, type Mutation } from './mutations.ts';

const ROOT = join(import.meta.dirname, '../..');
const OURS = pathToFileURL(`${ROOT}/`).href;

/** @throws Error where the mutation is unknown, or its piece does not stand in its file exactly once */
export async function simulationWith(name: string): Promise<typeof import('./simulate.ts')> {
  sourceOf(name);
  return import(`./simulate.ts?mutation=${encodeURIComponent(name)}`);
}

function sourceOf(name: string): { readonly path: string; readonly source: string } {
  const mutation: Mutation | undefined = MUTATIONS[name];
  if (mutation === undefined) throw new Error(`no mutation is called "${name}"`);
  const { file, find, replace } = mutation;
  const path = join(ROOT, file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2) throw new Error(`"${name}": ${file} has ${parts.length - 1} times: ${find}`);
  return { path, source: parts.join(replace) };
}

const mutationOf = (url: string | undefined): string | null =>
  url === undefined || !url.startsWith('file:') ? null : new URL(url).searchParams.get('mutation');

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const name = mutationOf(context.parentURL);
    const isOurs = resolved.url.startsWith(OURS) && !resolved.url.includes('/node_modules/');
    if (name === null || !isOurs) return resolved;
    return { ...resolved, url: `${resolved.url}?mutation=${encodeURIComponent(name)}` };
  },
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const name = mutationOf(url);
    if (name === null) return loaded;
    const { path, source } = sourceOf(name);
    return fileURLToPath(url) === path ? { ...loaded, source } : loaded;
  },
});
