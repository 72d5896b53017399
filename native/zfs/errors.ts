/** What zfs and zpool say when they fail, as codes: told by their text, because their exit status is 1 for nearly all of it. */
import { TidepoolError } from '../../pipeline/base/errors.ts'

/** `[pattern, code]`, the first that fits decides; the texts are those of zfs-fuse 0.7.0, OpenZFS 2.1.11 and 2.3.2. */
const TEXTS = [
  // What stands in the way of any command.
  // zfs-fuse's commands reach their daemon by a socket that only root may open.
  [/connect: Permission denied/, 'permission-denied'],
  [
    /zfs-fuse daemon is running|failed to initialize ZFS library|ZFS modules are not loaded|ZFS modules cannot be auto-loaded/i,
    'no-daemon',
  ],
  [/\/dev\/zfs and \/proc\/self\/mounts are required|Unable to open \/dev\/zfs/i, 'no-daemon'],
  [
    /permission denied|Operation not permitted|insufficient privileges|must be (?:root|superuser)/i,
    'permission-denied',
  ],
  [/pool is read-only|read-?only file system/i, 'pool-read-only'],
  [
    /pool I\/O is currently suspended|pool or dataset is unavailable|pool is unavailable|: I\/O error$|Input\/output error/im,
    'device-io',
  ],

  // Streams.
  [
    /stream has unsupported feature|incompatible .* stream feature|feature that is not supported|stream has .*feature.*(?:not|un)supported|can not be received|must be upgraded to receive/i,
    'stream-unreceivable',
  ],
  [/contains partially-complete state/, 'receive-unfinished'],
  [/Partially received snapshot is saved/, 'receive-resumable'],
  [/checksum mismatch/, 'stream-checksum'],
  [/bad magic number/, 'stream-foreign'],
  [
    /invalid backup stream|incomplete stream|failed to read from stream|stream is truncated/,
    'stream-truncated',
  ],
  [/has been modified\s+since most recent snapshot/, 'destination-modified'],
  [/most recent snapshot of .* does not\s+match incremental source/, 'base-missing'],
  [/incremental source \(.*\) does not exist/, 'base-missing'],
  [
    /not an earlier snapshot from the same fs|incremental source must be in same filesystem/,
    'base-unrelated',
  ],
  [/destination has snapshots/, 'dataset-exists'],
  [/destination '.*' does not exist/, 'dataset-missing'],
  [/destination '.*' exists/, 'dataset-exists'],
  [/space quota exceeded|[Dd]isk quota exceeded|quota exceeded/, 'quota-exceeded'],
  [/resume token is corrupt|cannot resume send/, 'resume-refused'],
  [/Broken pipe/, 'reader-gone'],
  [
    /Stream can not be written to a terminal|Writing directly to \/dev\/|cannot send .*: (?:Invalid argument|No space left on device)/,
    'reader-gone',
  ],
  [/key must be loaded|encryption key not loaded/, 'key-missing'],

  // Space.
  [/out of space|No space left on device/, 'out-of-space'],
  [/size is (?:less than current used or reserved|greater than available) space/, 'quota-impossible'],

  // Holds, clones, children: why something cannot be destroyed.
  [/it's being held|snapshot is held|is held\b/, 'snapshot-held'],
  [/tag already exists on this dataset/, 'hold-exists'],
  [/no such tag on this dataset/, 'hold-missing'],
  [/has dependent clones/, 'has-clones'],
  [/filesystem has children|volume has children/, 'has-children'],
  [/operation does not apply to pools/, 'dataset-is-pool'],
  [/more recent snapshots (?:or bookmarks )?exist/, 'newer-snapshots'],
  [/not a cloned filesystem/, 'not-a-clone'],

  // Mounts. Before the busy ones: these name a state, not somebody in the way.
  [/filesystem already mounted/, 'already-mounted'],
  [/not currently mounted|: not mounted\./, 'not-mounted'],
  [/directory is not empty/, 'mountpoint-not-empty'],
  [
    /no mountpoint set|legacy mountpoint|'canmount' property is set to 'off'|cannot be mounted using 'zfs mount'|unknown filesystem type 'zfs'/,
    'not-mountable',
  ],
  [
    /target is busy|pool or dataset is busy|(?:dataset|pool) is busy|Device or resource busy|could not unmount datasets/,
    'dataset-busy',
  ],

  // Pools and what they stand on.
  [
    /may be in use from other system|was previously in use from another system|pool is imported on .*hostid/,
    'pool-elsewhere',
  ],
  [/more than one matching pool/, 'pool-ambiguous'],
  [/no such pool available|cannot open '.*': no such pool|no such pool '/, 'pool-missing'],
  [
    /pool already exists|a pool with that name (?:is already created\/imported|already exists)/,
    'pool-exists',
  ],
  [
    /is part of (?:potentially )?(?:active|exported) pool|invalid vdev specification|is in use|contains a filesystem|is currently mounted/,
    'device-in-use',
  ],
  [/one or more devices is less than the minimum size/, 'device-too-small'],
  [
    /cannot open '\/.*': No such file or directory|cannot resolve path|cannot open '\/.*': must be an absolute path/,
    'device-missing',
  ],
  [/could not find any snapshots to destroy|bookmark '.*' does not exist/, 'dataset-missing'],

  // Names and values. Before what is missing: "parent does not exist" and the like are answers of their own.
  [/parent does not exist/, 'parent-missing'],
  [
    /invalid character|empty component|trailing slash|leading slash|delimiter|name is too long|parent reference|self reference|invalid dataset name|tag too long|name is reserved|must begin with a letter|reserved (?:name|disk name)|multiple snapshots of same fs/,
    'bad-name',
  ],
  [/invalid property|property name '|is not a valid pool property/, 'property-unknown'],
  [/is readonly$/m, 'property-readonly'],
  [
    /property value too long|must be one of|must be power of 2|bad numeric value|must be an absolute path|missing value in property=value|not applicable to|must be a number|out of range/,
    'bad-value',
  ],

  [/dataset already exists|bookmark exists/, 'dataset-exists'],
  [/no pools available|no such pool/, 'pool-missing'],
  [
    /dataset does not exist|could not send .*: does not exist|no datasets available|: No such file or directory/,
    'dataset-missing',
  ],
  [/incremental source .*\s.*does not exist|incremental source/, 'base-missing'],
  [/internal error:/, 'zfs-aborted'],
  [
    /unrecognized command|invalid option|missing .* argument|too many arguments|argument must be|^usage:|invalid type|missing command/m,
    'usage',
  ],
] as const satisfies readonly (readonly [RegExp, string])[]

export type ZfsErrorCode =
  | (typeof TEXTS)[number][1]
  /** A text that none of the patterns knows. */
  | 'zfs-failed'
  | 'zfs-missing'
  | 'zfs-timeout'
  | 'zfs-stuck'
  | 'zfs-output'

/** The code of what a command printed before it failed, or undefined where no pattern fits. */
export function codeOfText(text: string): ZfsErrorCode | undefined {
  // The usage that follows a complaint names every option and property: what it says is no part of the complaint.
  const complaint = text.replace(/^usage:[\s\S]*/m, 'usage:')
  return TEXTS.find(([pattern]) => pattern.test(complaint))?.[1]
}

const HINTS: Partial<Record<ZfsErrorCode, string>> = {
  'no-daemon': 'Start it: `modprobe zfs` for OpenZFS, `systemctl start zfs-fuse` for zfs-fuse.',
  'permission-denied': 'Run it as root.',
  'pool-read-only': 'Export the pool and import it again without `readonly=on`.',
  'device-io': 'See `zpool status -v`: a device has failed or is gone.',
  'stream-unreceivable': 'This ZFS is too old for that stream: open the project on a host with a newer one.',
  'stream-checksum': 'The stream was damaged on its way or in the store: run a deep scrub of it.',
  'stream-truncated': 'The stream ended too early; try again.',
  'stream-foreign': 'Those bytes are no ZFS stream.',
  'destination-modified':
    'Somebody wrote to it since its newest snapshot: take a snapshot, or receive into a new dataset.',
  'base-missing': 'The snapshot that the step starts from is not the newest there: plan from what is there.',
  'dataset-busy': 'Something uses it: a shell, an open file, a clone or a running send.',
  'snapshot-held': 'See `zfs holds`: somebody keeps it.',
  'has-clones': 'A clone stands on it: destroy or promote that first.',
  'has-children': 'Destroy its snapshots and children first.',
  'out-of-space': 'Evict projects or enlarge the pool.',
  'quota-exceeded': 'Raise its quota, or remove something in it.',
  'quota-impossible': 'Choose a quota above what is used, and a reservation below what is free.',
  'pool-missing': 'See `zpool list` and `zpool import`.',
  'pool-exists': 'Choose another name, or use the pool that is there.',
  'pool-elsewhere': 'Export it on the host that used it last.',
  'pool-ambiguous':
    '`zpool import` lists them with their numbers: import the one that is meant by its number.',
  'device-in-use': 'Choose a device or file that belongs to no pool and no file system.',
  'device-too-small': 'A pool needs at least 64 MiB.',
  'mountpoint-not-empty': 'Move away what is in the directory below the mount.',
  'receive-unfinished': 'End it with `zfs receive -A`.',
  'zfs-missing':
    'Install zfsutils-linux or zfs-fuse. Where one is installed, its directory (mostly /usr/sbin) is missing in PATH, or the configuration names another.',
  'zfs-stuck':
    'The kernel does not let it end: look at `dmesg` and `zpool status`; it leaves the list when it ends.',
  'key-missing': 'Load it with `zfs load-key`.',
}

/** Where the same command may succeed later though nobody did anything. */
const TEMPORARY: ReadonlySet<ZfsErrorCode> = new Set([
  'dataset-busy',
  'no-daemon',
  'device-io',
  'zfs-timeout',
  'reader-gone',
  'zfs-stuck',
])

export interface CommandFacts {
  readonly program: string
  readonly args: readonly string[]
  readonly exit?: number | null
  readonly signal?: NodeJS.Signals | null
  /** The end of what it printed to stderr. */
  readonly stderr?: string
  readonly pid?: number
}

export class ZfsError extends TidepoolError {
  declare readonly code: ZfsErrorCode
  readonly stderr: string

  constructor(code: ZfsErrorCode, message: string, command: CommandFacts, cause?: unknown) {
    const hint = HINTS[code]
    super(code, message, {
      facts: { ...command },
      cause,
      temporary: TEMPORARY.has(code),
      ...(hint === undefined ? {} : { hint }),
    })
    this.stderr = command.stderr ?? ''
  }
}

/** The line to show: as a shell would take it, so that it can be tried again by hand. */
export function commandLine(program: string, args: readonly string[]): string {
  const quoted = args.map((arg) =>
    /^[\w@#%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`,
  )
  return [program, ...quoted].join(' ')
}

const MAX_SHOWN = 400

/** The error of a command that ended with another status than 0. */
export function failed(command: CommandFacts & { stdout?: string }): ZfsError {
  const { program, args, exit = null, signal = null } = command
  const said = command.stderr?.trim() || command.stdout?.trim() || ''
  // 134 is SIGABRT seen through a shell: zfs-fuse's `zfs` aborts where later versions complain.
  const aborted = signal === 'SIGABRT' || exit === 134
  const code =
    codeOfText(said) ??
    (signal === 'SIGPIPE' || exit === 141 ? 'reader-gone' : aborted ? 'zfs-aborted' : 'zfs-failed')
  const complaint = said
    .replace(/^usage:[\s\S]*/m, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .slice(0, MAX_SHOWN)
  const how = signal ? `was ended by ${signal}` : `failed with exit code ${exit}`
  const { stdout: _unused, ...facts } = command
  return new ZfsError(code, `${commandLine(program, args)} ${how}${complaint ? `: ${complaint}` : ''}`, facts)
}
