/** What the command line of the runner means: which rings run, which of their files, and how much of the long tests. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ring, ringOf, rings, selections } from '../../rings.ts'
import { testFiles } from './files.ts'

export interface Plan {
  readonly parts: readonly { readonly ring: Ring; readonly files: readonly string[] }[]
  /** The share of the long tests' rounds that is run where TIDEPOOL_LONG does not say. */
  readonly long: number
}

const testFolder = fileURLToPath(new URL('../..', import.meta.url))

/** Names choose rings, paths choose files; both together those files of those rings. Throws on what is neither. */
export function choose(args: readonly string[]): Plan {
  const names = args.filter((arg) => selections[arg] || rings.some((ring) => ring.name === arg))
  const paths = args.filter((arg) => !names.includes(arg)).map((path) => resolve(path))
  if (args.length === 0) names.push('default')
  const ringNames = new Set(names.flatMap((name) => selections[name]?.rings ?? [name]))
  const all = testFiles(testFolder)
  const strangers: string[] = [] // a file that is named runs, whatever its name is
  for (const path of paths) {
    if (all.some((file) => isIn(file, path))) continue
    if (!path.endsWith('.ts')) throw new Error(`${path} is no ring, no selection, and holds no test file`)
    strangers.push(path)
  }
  const parts = rings.map((ring) => ({
    ring,
    files: [...all, ...strangers].filter((file) => {
      if ((ringOf(file) ?? rings[0]) !== ring) return false
      if (names.length > 0 && !ringNames.has(ring.name)) return false
      return paths.length === 0 || paths.some((path) => isIn(file, path))
    }),
  }))
  const long = Math.max(...names.map((name) => selections[name]?.long ?? 0.1), 0.1)
  return { parts: parts.filter(({ files }) => files.length > 0), long }
}

const isIn = (file: string, path: string) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`)
