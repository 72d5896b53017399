/** What can be configured: each key with its default and unit. The page for operators is made of these descriptions. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { COMMAND_DEFAULTS } from '../../native/zfs/settings.ts'
import { messageOf } from '../../pipeline/base/errors.ts'
import { DEFAULT_RETENTION } from '../../pipeline/graph/retention.ts'
import { parseStoreUrl } from '../../pipeline/stores/url.ts'
import { BROWSE } from '../access/layer.ts'
import { isLoopback } from '../auth/same-site.ts'
import { parseDuration, parseShare, parseSize } from '../cli/units.ts'
import { DEFAULT_RESIDENCY } from '../projects/residency.ts'

/** Text that one of our own readers understands; its error is the key's. */
const readBy = <T>(read: (text: string) => T, what: string) =>
  z.string().transform((text, context) => {
    try {
      return read(text)
    } catch {
      context.addIssue({ code: 'custom', message: `is no ${what}: ${JSON.stringify(text)}` })
      return z.NEVER
    }
  })

const duration = readBy(parseDuration, 'duration such as 90s, 5m or 24h')
const share = readBy(parseShare, 'share such as 80%')
const size = readBy(parseSize, 'size such as 512M or 10G')
const path = z.string().regex(/^\//, 'is no absolute path')
const count = z.int().min(0)

const settings = z.strictObject({
  store: z
    .string()
    .superRefine((text, context) => {
      const message = mistakeOfStore(text)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .describe('the store, by its URL: dir:/path or cassandra://…'),
  dataset: z
    .string()
    .regex(/^[^/]+\/.+/, 'is no dataset below a pool, such as tank/projects')
    .describe('the dataset below which projects live, in a pool of its own'),
  access: path.default('/projects').describe('where projects appear: a directory of nothing else'),
  browse: z
    .enum(BROWSE)
    .default('resident')
    .describe('what a listing of it shows; programs that look behind every link open what they see'),
  mounts: path
    .default('/var/lib/tidepool/mnt')
    .describe('where their datasets are really mounted; tools record these paths, so it stays for ever'),
  state: path.default('/var/lib/tidepool/state').describe('who this host is, and what it remembers'),
  run: path.default('/run/tidepool').describe('sockets'),
  listen: z
    .strictObject({
      port: z
        .int()
        .min(0)
        .max(65535)
        .optional()
        .describe('the API over TCP, for tokens; none where left out'),
      address: z
        .union([z.ipv4(), z.ipv6()])
        .default('127.0.0.1')
        .describe('another than the loopback’s needs tls; 0.0.0.0 is every one'),
      tls: z
        .strictObject({ cert: path, key: path })
        .optional()
        .describe('the certificate and its key, as PEM; read again when they change'),
      tokens: path.optional().describe('their digests; tokens.json in the state directory where left out'),
    })
    .prefault({})
    .superRefine(({ address, tls }, context) => {
      if (!tls && !isLoopback(address))
        context.addIssue({
          code: 'custom',
          path: ['address'],
          message: 'is not the loopback’s: tokens may cross a network only under tls',
        })
    }),
  audit: path.optional().describe('the log of who did what; audit.log in the state directory where left out'),
  name: z.string().min(1).optional().describe("this host, for people; the machine's name where left out"),
  takeover: z
    .enum(['automatic', 'ask'])
    .default('automatic')
    .describe('whether a host that has been silent for 5 minutes loses its projects to whoever opens them'),
  onHostLoss: z
    .enum(['keep', 'readonly'])
    .default('keep')
    .describe(
      'what is open while this host cannot reach the store and others may take it: readonly lets writes fail with EROFS',
    ),
  save: z
    .strictObject({
      interval: duration.prefault('60s').describe('from one save of a project to the next'),
      atOnce: z.int().min(1).default(2).describe('saves at a time'),
      snapshotQuotaFactor: z
        .number()
        .min(1)
        .default(3)
        .describe('no new points where snapshots take more than so many times the quota'),
    })
    .prefault({}),
  zfs: z
    .strictObject({
      changes: z
        .int()
        .min(1)
        .default(COMMAND_DEFAULTS.lanes.change)
        .describe('commands that change the pool at a time; more only wait for the same transaction group'),
      sync: z
        .enum(['standard', 'always', 'disabled'])
        .default('standard')
        .describe('of the dataset of all projects; disabled is quicker, and a crash takes the last seconds'),
    })
    .prefault({}),
  restore: z
    .strictObject({
      maxPoints: z
        .int()
        .min(1)
        .default(4)
        .describe('old points of a project beside it at a time: each takes up to its whole size of the pool'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('the least that is logged'),
    })
    .prefault({}),
  page: z
    .strictObject({
      port: z
        .union([z.literal('off'), z.int().min(0).max(65535)])
        .default('off')
        .describe('of 127.0.0.1, where the status page is served, such as 4747; 0 for a free one'),
    })
    .prefault({}),
  keep: z
    .strictObject({
      latest: count.default(DEFAULT_RETENTION.latest).describe('so many of the newest'),
      hourly: count
        .default(DEFAULT_RETENTION.hourly)
        .describe('and the newest of each hour, for so many hours that have one'),
      daily: count.default(DEFAULT_RETENTION.daily).describe('of each day, for so many days'),
      weekly: count.default(DEFAULT_RETENTION.weekly).describe('of each week, for so many weeks'),
      monthly: count.default(DEFAULT_RETENTION.monthly).describe('of each month, for so many months'),
    })
    .prefault({})
    .describe('how many points of a project stay restorable'),
  unmount: z
    .strictObject({
      idleAfter: duration
        .prefault('15m')
        .describe('unused for so long a project is unmounted; the next touch mounts it again'),
    })
    .prefault({}),
  cache: z
    .strictObject({
      directory: path
        .optional()
        .describe(
          'where streams are kept that were received, to open again without the store; left out: nowhere',
        ),
      maxBytes: size.prefault('10G').describe('what they take at most'),
    })
    .prefault({}),
  evict: z
    .strictObject({
      maxResident: z.int().min(1).optional().describe('projects in the pool; as many as fit where left out'),
      highWatermark: share
        .prefault(`${DEFAULT_RESIDENCY.highWatermark * 100}%`)
        .describe('of the pool: past it projects leave'),
      lowWatermark: share
        .prefault(`${DEFAULT_RESIDENCY.lowWatermark * 100}%`)
        .describe('of the pool: until it is reached'),
      idleAfter: duration.optional().describe('unused for so long they leave even where there is space'),
      grace: duration
        .prefault(`${DEFAULT_RESIDENCY.idleGraceMs / 1000}s`)
        .describe('used within so long they never leave by themselves'),
      afterCommit: duration
        .prefault('60s')
        .describe('how old the newest point of a project has to be before it is relied on'),
    })
    .prefault({}),
})

/** A path in it counts from nowhere in particular, so it has to be a whole one. */
function mistakeOfStore(text: string): string | undefined {
  try {
    const url = parseStoreUrl(text, '/')
    return url.kind === 'directory' && !text.slice('dir:'.length).startsWith('/')
      ? 'its path is not absolute'
      : undefined
  } catch (error) {
    return messageOf(error)
  }
}

const isWithin = (path: string, root: string): boolean => `${resolve(path)}/`.startsWith(`${resolve(root)}/`)

/** What each key allows and two of them together do not. */
export const configSchema = settings.superRefine(({ access, mounts, ...config }, context) => {
  const refuse = (key: string[], message: string): void =>
    context.addIssue({ code: 'custom', path: key, message })
  const { highWatermark, lowWatermark } = config.evict
  if (lowWatermark >= highWatermark)
    refuse(['evict', 'lowWatermark'], 'is not below highWatermark, where projects begin to leave')
  // Whoever serves a directory must never have to walk through it.
  const own: readonly (readonly [string[], string | undefined])[] = [
    [['store'], config.store.startsWith('dir:') ? config.store.slice('dir:'.length) : undefined],
    [['mounts'], mounts],
    [['state'], config.state],
    [['run'], config.run],
    [['cache', 'directory'], config.cache.directory],
  ]
  for (const [key, path] of own)
    if (path !== undefined && isWithin(path, access))
      refuse(key, `is within ${access}, where nothing is but the projects that are served`)
  if (isWithin(access, mounts) && access !== mounts)
    refuse(['access'], `is within ${mounts}, where the projects are mounted`)
})

export type Config = z.infer<typeof configSchema>
