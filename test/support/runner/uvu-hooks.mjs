// A resolve hook for the worker: what test files import as `uvu` is our counting wrapper, what the wrapper imports is uvu.
const wrapper = new URL('./counted-uvu.ts', import.meta.url).href

export function resolve(specifier, context, next) {
  if (specifier !== 'uvu' || context.parentURL?.startsWith(wrapper)) return next(specifier, context)
  return { url: wrapper, format: 'module', shortCircuit: true }
}
