/** Which methods a path knows, so that a wrong method is told apart from a wrong path (405 and 404). */
import type { App } from './api.ts';

/** Must be called before the routes are added. */
export function allowedMethods(app: App): (url: string) => string[] {
  const routes: { pattern: RegExp; method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(
      `^${url
        .replaceAll('.', '\\.')
        .replaceAll('*', '.*')
        .replaceAll(/:[a-z_]+/g, '[^/]+')}$`,
    );
    for (const name of [method].flat()) routes.push({ pattern, method: name });
  });
  return (url) => {
    const path = url.split('?', 1)[0] ?? '';
    return [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  };
}
