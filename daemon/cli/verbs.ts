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
    name: 'status',
    about: 'This host at a glance, or one project',
    load: async () => (await import('./verbs/status.ts')).verb,
  },
  {
    name: 'ls',
    about: 'The projects in the pool of this host',
    load: async () => (await import('./verbs/ls.ts')).verb,
  },
  {
    name: 'top',
    about: 'What is open, moving and not saved, live',
    load: async () => (await import('./verbs/top.ts')).verb,
  },
  {
    name: 'create',
    about: 'Make a project and open it here',
    load: async () => (await import('./verbs/create.ts')).verb,
  },
  {
    name: 'open',
    about: 'Mount a project, receiving what the pool lacks',
    load: async () => (await import('./verbs/open.ts')).verb,
  },
  {
    name: 'save',
    about: 'Send to the store what it has not',
    load: async () => (await import('./verbs/save.ts')).verb,
  },
  {
    name: 'close',
    about: 'Save, unmount, and let other hosts have it',
    load: async () => (await import('./verbs/close.ts')).verb,
  },
  {
    name: 'evict',
    about: 'Take it out of the pool, with proof',
    load: async () => (await import('./verbs/evict.ts')).verb,
  },
  {
    name: 'destroy',
    about: 'Keep everybody out of it; undelete has it back',
    load: async () => (await import('./verbs/destroy.ts')).verb,
  },
  {
    name: 'undelete',
    about: 'Have a destroyed project back',
    load: async () => (await import('./verbs/undelete.ts')).verb,
  },
  {
    name: 'snapshot',
    about: 'Make a point of what a project is now',
    load: async () => (await import('./verbs/snapshot.ts')).verb,
  },
  {
    name: 'why',
    about: 'Why a project is as it is, and what helps',
    load: async () => (await import('./verbs/why.ts')).verb,
  },
  {
    name: 'place',
    about: 'On which host a project is best opened',
    load: async () => (await import('./verbs/place.ts')).verb,
  },
  {
    name: 'snapshots',
    about: 'The states of a project that can be looked into',
    load: async () => (await import('./verbs/snapshots.ts')).verb,
  },
  {
    name: 'changes',
    about: 'What has changed in a project since one of its points',
    load: async () => (await import('./verbs/changes.ts')).verb,
  },
  {
    name: 'history',
    about: 'The points that a project can be brought back to',
    load: async () => (await import('./verbs/history.ts')).verb,
  },
  {
    name: 'rollback',
    about: 'Make an older point its state',
    load: async () => (await import('./verbs/rollback.ts')).verb,
  },
  {
    name: 'restore',
    about: 'Mount an old point beside it, read-only',
    load: async () => (await import('./verbs/restore.ts')).verb,
  },
  {
    name: 'pin',
    about: 'Keep a point whatever the policy says, or a project in this pool',
    load: async () => (await import('./verbs/pin.ts')).verb,
  },
  {
    name: 'unpin',
    about: 'The end of a pin',
    load: async () => (await import('./verbs/unpin.ts')).verb,
  },
  {
    name: 'acknowledge',
    about: 'Let the policy decide about points again',
    load: async () => (await import('./verbs/acknowledge.ts')).verb,
  },
  {
    name: 'quota',
    about: 'What a project may take',
    load: async () => (await import('./verbs/quota.ts')).verb,
  },
  {
    name: 'set',
    about: 'What its dataset is like: compression and such',
    load: async () => (await import('./verbs/set.ts')).verb,
  },
  {
    name: 'move',
    about: 'Let another host have a project at once',
    load: async () => (await import('./verbs/move.ts')).verb,
  },
  {
    name: 'events',
    about: 'What happens on this host',
    load: async () => (await import('./verbs/events.ts')).verb,
  },
  {
    name: 'drain',
    about: 'Open nothing more here, save everything, empty the pool',
    load: async () => (await import('./verbs/drain.ts')).verb,
  },
  {
    name: 'undrain',
    about: 'Open projects here again',
    load: async () => (await import('./verbs/undrain.ts')).verb,
  },
  {
    name: 'put-away',
    about: 'Save everything before this host goes down',
    load: async () => (await import('./verbs/put-away.ts')).verb,
  },
  {
    name: 'daemon',
    about: 'Serve the projects of this host',
    load: async () => (await import('./verbs/daemon.ts')).verb,
  },
  {
    name: 'install',
    about: 'Make the daemon a service of systemd',
    load: async () => (await import('./verbs/install.ts')).verb,
  },
  {
    name: 'uninstall',
    about: 'Close all projects and take the service away',
    load: async () => (await import('./verbs/uninstall.ts')).verb,
  },
  {
    name: 'config',
    about: 'The configuration of the daemon',
    verbs: [
      {
        name: 'check',
        about: 'Read it as the daemon would',
        load: async () => (await import('./verbs/config-check.ts')).verb,
      },
      {
        name: 'reload',
        about: 'Have the daemon read it again',
        load: async () => (await import('./verbs/config-reload.ts')).verb,
      },
      {
        name: 'example',
        about: 'Print every key, what it means and its default',
        load: async () => (await import('./verbs/config-example.ts')).verb,
      },
    ],
  },
  {
    name: 'token',
    about: 'Who may ask over TCP',
    verbs: [
      {
        name: 'create',
        about: 'Make a token and print it this once',
        load: async () => (await import('./verbs/token-create.ts')).verb,
      },
      {
        name: 'ls',
        about: 'List them, without their secrets',
        load: async () => (await import('./verbs/token-ls.ts')).verb,
      },
      {
        name: 'rm',
        about: 'Make one worthless',
        load: async () => (await import('./verbs/token-rm.ts')).verb,
      },
    ],
  },
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
      {
        name: 'receivable',
        about: 'Which stream features its hosts can receive, and to change that',
        load: async () => (await import('./verbs/store-receivable.ts')).verb,
      },
    ],
  },
  {
    name: 'host',
    about: 'The hosts that share the store',
    verbs: [
      {
        name: 'ls',
        about: 'List them',
        load: async () => (await import('./verbs/host-ls.ts')).verb,
      },
      {
        name: 'dead',
        about: 'Say that a silent one is off for good',
        load: async () => (await import('./verbs/host-dead.ts')).verb,
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
  {
    name: 'doctor',
    about: 'What this machine has and lacks for projects, and what mends it',
    load: async () => (await import('./verbs/doctor.ts')).verb,
  },
  {
    name: 'demo',
    about: 'Play what this is for, in a place of its own, and compare',
    load: async () => (await import('./verbs/demo.ts')).verb,
  },
  {
    name: 'completion',
    about: 'Complete verbs, options and projects in a shell',
    load: async () => (await import('./verbs/completion.ts')).verb,
  },
]
