/** Which verbs there are, each with where it is and one line about it. Nothing here loads them. */
import type { Verb } from './cli.ts'

type Load = () => Promise<Verb>

interface VerbEntry {
  readonly name: string
  readonly about: string
  readonly load: Load
}

interface Group {
  readonly name: string
  readonly about: string
  readonly verbs?: readonly VerbEntry[]
  /** The verb itself, where the group is one. */
  readonly load?: Load
}

export const groups: readonly Group[] = [
  {
    name: 'store',
    about: 'The store as a whole',
    verbs: [
      {
        name: 'init',
        about: 'Make the store, or find it made and say so',
        load: async () => (await import('./verbs/store-init.ts')).verb,
      },
      {
        name: 'info',
        about: 'What it is, and which hosts speak to it',
        load: async () => (await import('./verbs/store-info.ts')).verb,
      },
    ],
  },
  {
    name: 'stream',
    about: 'Streams of `zfs send` in the store',
    verbs: [
      {
        name: 'put',
        about: 'Store one stream',
        load: async () => (await import('./verbs/stream-put.ts')).verb,
      },
      {
        name: 'get',
        about: 'Bring a stored stream back',
        load: async () => (await import('./verbs/stream-get.ts')).verb,
      },
      {
        name: 'ls',
        about: 'List projects, or the writes of one',
        load: async () => (await import('./verbs/stream-ls.ts')).verb,
      },
      {
        name: 'show',
        about: 'All that is known of one write',
        load: async () => (await import('./verbs/stream-show.ts')).verb,
      },
      {
        name: 'graph',
        about: 'Draw the points of a project and what leads to them',
        load: async () => (await import('./verbs/stream-graph.ts')).verb,
      },
      {
        name: 'verify',
        about: 'Read what is stored and compare',
        load: async () => (await import('./verbs/stream-verify.ts')).verb,
      },
      {
        name: 'rm',
        about: 'Remove a write that no kept point needs',
        load: async () => (await import('./verbs/stream-rm.ts')).verb,
      },
    ],
  },
  {
    name: 'pool',
    about: 'The pool of this machine in which projects live',
    verbs: [
      {
        name: 'create',
        about: 'Make a pool for projects on a device that nothing uses',
        load: async () => (await import('./verbs/pool-create.ts')).verb,
      },
      {
        name: 'check',
        about: 'Tell what of a pool is not as projects want it, and what mends it',
        load: async () => (await import('./verbs/pool-check.ts')).verb,
      },
      {
        name: 'import',
        about: 'Import a pool, mounting nothing',
        load: async () => (await import('./verbs/pool-import.ts')).verb,
      },
    ],
  },
  {
    name: 'scrub',
    about: 'Find what was left half-done or is damaged, and clean up',
    load: async () => (await import('./verbs/scrub.ts')).verb,
  },
]
