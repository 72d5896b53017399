/** Reads the import lines of the sources, for the tests that hold the direction of the layers. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = fileURLToPath(new URL('../..', import.meta.url))

export interface Import {
  /** Both relative to the repository; `to` is a package or a `node:` module where it is none of our files. */
  readonly from: string
  readonly to: string
}

/** Every import of every source file under these top-level folders, dynamic ones and types too. */
export function importsOf(...folders: readonly string[]): Import[] {
  return folders.flatMap((folder) => sources(join(top, folder))).flatMap(readImports)
}

// Only what stands at the start of a line or behind `import(` is taken: comments may speak of imports.
const pattern =
  /^\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"$]+)['"]/gm

function readImports(path: string): Import[] {
  const from = relative(top, path)
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? ''
    return { from, to: name.startsWith('.') ? relative(top, join(dirname(path), name)) : name }
  })
}

function sources(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.(ts|mjs|js)$/.test(entry.name) || folder.endsWith('/bin') ? [path] : []
  })
}

/** The package of an import: `uvu` of `uvu/assert`, `@types/node` of itself; nothing for files and `node:` modules. */
export function packageOf({ to }: Import): string | undefined {
  if (to.startsWith('node:') || /^(\.\.?|pipeline|native|daemon|test|bench|bin)(\/|$)/.test(to))
    return undefined
  return to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/')
}
