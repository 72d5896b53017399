/** Each check over facts that a test hands in: well, and spoilt in one thing. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Check, Finding } from '../../daemon/doctor/check.ts'
import { ownCertificate, storeCertificates } from '../../daemon/doctor/checks/certificates.ts'
import * as serving from '../../daemon/doctor/checks/daemon.ts'
import * as fuse from '../../daemon/doctor/checks/fuse.ts'
import * as machine from '../../daemon/doctor/checks/machine.ts'
import * as mounts from '../../daemon/doctor/checks/mounts.ts'
import * as program from '../../daemon/doctor/checks/program.ts'
import * as store from '../../daemon/doctor/checks/store.ts'
import * as zfs from '../../daemon/doctor/checks/zfs.ts'
import { checks } from '../../daemon/doctor/checks.ts'
import { examine, exitOf } from '../../daemon/doctor/examine.ts'
import { lastScrub } from '../../daemon/doctor/last-scrub.ts'
import type { World } from '../../daemon/doctor/world.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { config, mountsOf, NOW_MS, wellWorld } from '../support/doctor-world.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { faultyStore } from '../support/faulty-store.ts'

const test = suite('the checks of doctor')
const { signal } = new AbortController()

type Spoilt = Parameters<typeof wellWorld>[0]

async function one(check: Check, world: World): Promise<Finding> {
  const [line, ...more] = await examine(world, [check], { signal })
  assert.equal(more, [])
  return line as Finding
}

/** `[check, what is spoilt, the verdict, what is found, what mends it]` */
const cases: readonly (readonly [Check, Spoilt, string, RegExp, RegExp?])[] = [
  [program.node, { nodeVersion: '20.18.9' }, 'fail', /older than 20.19/, /install Node/],
  [program.node, { nodeVersion: '20.19.0' }, 'ok', /20.19/],
  [program.user, { uid: 1000 }, 'warn', /uid 1000/, /sudo/],
  [
    program.configuration,
    { config: { error: new Error('line 3: wrong') } },
    'fail',
    /line 3/,
    /^tidepool config check \/etc/,
  ],
  ...(
    [
      ['ENOENT', /config example > \/etc/],
      ['EACCES', /^sudo tidepool doctor/],
    ] as const
  ).map(
    ([code, mend]) =>
      [
        program.configuration,
        {
          config: {
            error: new TidepoolError('bad-config', 'can’t read it', {
              cause: Object.assign(new Error(code), { code }),
            }),
          },
        },
        'fail',
        /can’t read/,
        mend,
      ] as const,
  ),
  [fuse.device, { mayUse: async () => false }, 'fail', /may not open/, /chmod/],
  [
    fuse.device,
    { mayUse: async () => false, files: { '/proc/filesystems': '' } },
    'fail',
    /missing/,
    /modprobe fuse/,
  ],
  [
    fuse.library,
    { loadAddon: () => Promise.reject(new Error('libfuse.so.2: cannot open shared object file')) },
    'fail',
    /libfuse/,
    /apt-get install libfuse2/,
  ],
  [
    fuse.library,
    { loadAddon: () => Promise.reject(new Error('Cannot find package')) },
    'fail',
    /Cannot/,
    /npm ci/,
  ],
  [fuse.fusermount, { program: async () => undefined }, 'warn', /PATH/, /apt-get install fuse3/],
  [fuse.allowOther, { uid: 1000 }, 'fail', /other users/, /user_allow_other/],
  [fuse.allowOther, { uid: 1000, files: { '/etc/fuse.conf': '# x\nuser_allow_other\n' } }, 'ok', /is set/],
  [
    fuse.requestTimeout,
    { files: { '/proc/sys/fs/fuse/max_request_timeout': '60\n' } },
    'fail',
    /below 120 s/,
    /sysctl -w fs.fuse.max_request_timeout=0/,
  ],
  [fuse.requestTimeout, { files: { '/proc/sys/fs/fuse/max_request_timeout': '600\n' } }, 'ok', /none below/],
  [
    fuse.requestTimeout,
    { files: { '/proc/sys/fs/fuse/max_request_timeout': undefined } },
    'skipped',
    /kernel/,
  ],
  [
    mounts.autofs,
    { mounts: async () => mountsOf('3 1 0:9 / /projects rw - autofs auto rw') },
    'fail',
    /automounter/,
    /auto.master/,
  ],
  [
    mounts.propagation,
    { mounts: async () => mountsOf('1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /var rw - ext4 b rw') },
    'warn',
    /\/var is not shared/,
    /mount --make-rshared \/var/,
  ],
  [
    mounts.updatedb,
    { files: { '/etc/updatedb.conf': 'PRUNEPATHS = "/tmp /projectsx"\n' } },
    'warn',
    /\/projects and \/var/,
    /sed -i/,
  ],
  [
    mounts.updatedb,
    { files: { '/etc/updatedb.conf': 'PRUNEFS="nfs fuse.tidepool zfs"\nPRUNEPATHS="/tmp"\n' } },
    'ok',
    /leaves out/,
  ],
  [mounts.updatedb, { files: { '/etc/updatedb.conf': undefined } }, 'skipped', /no .*updatedb.conf/],
  [zfs.zfs, {}, 'fail', /no ZFS was given/, /modprobe zfs/],
  [
    zfs.zfs,
    { zfs: () => Promise.reject(new TidepoolError('zfs-timeout', 'zpool list has not ended')) },
    'fail',
    /has not ended/,
    /dmesg/,
  ],
  [zfs.pool, {}, 'skipped', /does not answer/],
  [zfs.poolScrub, {}, 'skipped', /does not answer/],
  [
    machine.rootSpace,
    {
      space: async () => ({ freeBytes: 2n ** 20n, totalBytes: 2n ** 40n, freeInodes: 9n, totalInodes: 10n }),
    },
    'fail',
    /saves are about to stop/,
    /^du /,
  ],
  [
    machine.stateSpace,
    {
      space: async () => ({ freeBytes: 2n ** 29n, totalBytes: 2n ** 40n, freeInodes: 9n, totalInodes: 10n }),
    },
    'warn',
    /512 MiB of/,
    /^du /,
  ],
  [
    machine.rootSpace,
    {
      space: async () => ({
        freeBytes: 2n ** 40n,
        totalBytes: 2n ** 41n,
        freeInodes: 5n,
        totalInodes: 1000n,
      }),
    },
    'fail',
    /5 inodes/,
    /df -i/,
  ],
  [
    machine.rootSpace,
    { space: async () => ({ freeBytes: 2n ** 40n, totalBytes: 2n ** 41n, freeInodes: 0n, totalInodes: 0n }) },
    'ok',
    /free/,
  ],
  [
    machine.openFiles,
    { files: { '/proc/self/limits': 'Max open files   1024   4096   files\n' } },
    'warn',
    /at most 4096/,
    /LimitNOFILE/,
  ],
  [
    store.schema,
    { store: () => Promise.reject(new TidepoolError('x', 'format 9', { hint: 'upgrade' })) },
    'fail',
    /format 9/,
    /upgrade/,
  ],
  [store.consistency, { store: () => Promise.reject(new Error('down')) }, 'skipped', /cannot be opened/],
  [
    store.consistency,
    { store: async () => faultyStore(memoryStore(), () => 'refused') },
    'fail',
    /read failed by order/,
  ],
  [store.clock, { fileTimeMs: async () => NOW_MS - 20_000 }, 'warn', /20.0 s apart/, /set-ntp/],
  [store.clock, { fileTimeMs: async () => NOW_MS + 120_000 }, 'fail', /120.0 s apart/, /set-ntp/],
  [
    serving.daemon,
    { askDaemon: () => Promise.reject(new TidepoolError('daemon-missing', 'nobody')) },
    'warn',
    /none answers/,
    /systemctl start/,
  ],
  [
    serving.daemon,
    { askDaemon: async <A>() => ({ mayAct: false, why: 'fenced', failingSaves: [] }) as A },
    'fail',
    /may not act: fenced/,
    /status/,
  ],
  [
    serving.daemon,
    { askDaemon: async <A>() => ({ mayAct: true, failingSaves: [{ id: 'p', why: 'full' }] }) as A },
    'warn',
    /among them p: full/,
    /tidepool status p/,
  ],
  [
    serving.access,
    { mounts: async () => mountsOf('1 0 8:1 / / rw - ext4 a rw') },
    'warn',
    /not served/,
    /tidepool-access/,
  ],
  [serving.access, { answersWalks: async () => false }, 'fail', /nobody answers/, /restart/],
  [
    serving.access,
    { mounts: async () => mountsOf('2 1 0:5 / /projects rw - nfs server:/x rw') },
    'fail',
    /nfs\) is mounted/,
    /umount/,
  ],
]

test('each spoilt thing is found, with its verdict and what mends it', async () => {
  for (const [check, spoilt, verdict, found, mend] of cases) {
    const finding = await one(check, wellWorld(spoilt))
    const told = `${check.name}: ${JSON.stringify(finding)}`
    assert.is(finding.verdict, verdict, told)
    assert.match(finding.found, found, told)
    if (mend) assert.match(finding.mend ?? '', mend, told)
    if (verdict === 'warn' || verdict === 'fail') assert.ok(finding.mend, told)
  }
})

test('where all is well, nothing is to be looked at but what has no ZFS', () =>
  withFakeZfs(async (fake) => {
    const lines = await examine(wellWorld({ zfs: async () => fake.zfs }), checks, { signal })
    assert.equal(
      lines.filter(({ verdict }) => verdict === 'warn' || verdict === 'fail').map(({ check }) => check),
      ['zpool scrub'],
      JSON.stringify(lines, null, 1),
    )
    assert.equal(new Set(lines.map(({ check }) => check)).size, checks.length)
  }))

test('without a configuration the machine is looked at all the same', async () => {
  const lines = await examine(wellWorld({ config: { error: new Error('none') } }), checks, { signal })
  const verdictOf = (name: string) => lines.find(({ check }) => check === name)?.verdict
  assert.is(verdictOf('configuration'), 'fail')
  assert.is(verdictOf('/dev/fuse'), 'ok')
  for (const name of ['pool', 'store', 'clocks', 'daemon', 'access process', 'autofs'])
    assert.is(verdictOf(name), 'skipped', name)
})

test('a pool that is not as wanted is told in a line for each difference', () =>
  withFakeZfs(async (fake) => {
    await fake.zfs.commands.change('zfs', ['set', 'atime=on', fake.parent])
    await fake.state((state) => {
      const [pool] = Object.values(state.pools)
      if (pool) pool.health = 'DEGRADED'
    })
    const lines = await examine(wellWorld({ zfs: async () => fake.zfs }), [zfs.pool], { signal })
    assert.equal(
      lines.map(({ verdict }) => verdict),
      ['fail', 'warn'],
    )
    assert.match(lines[0]?.found ?? '', /health is DEGRADED/)
    assert.match(lines[1]?.mend ?? '', /zfs set atime=off/)
  }))

test('sync is wanted as it is configured, and disabled it is warned of', () =>
  withFakeZfs(async (fake) => {
    const world = (sync: string) =>
      wellWorld({ config: config([`zfs: {sync: ${sync}}`]), zfs: async () => fake.zfs })
    const found = async (sync: string) =>
      (await examine(world(sync), [zfs.pool], { signal })).map(({ verdict, found }) => [verdict, found])
    assert.is((await found('standard'))[0]?.[0], 'ok')
    const [differs, warned] = await found('disabled')
    assert.is(differs?.[0], 'warn')
    assert.match(differs?.[1] ?? '', /sync is standard, wanted is disabled/)
    assert.is(warned?.[0], 'warn')
    assert.match(warned?.[1] ?? '', /takes the last seconds/)
    await fake.zfs.commands.change('zfs', ['set', 'sync=disabled', fake.parent])
    assert.is((await found('disabled')).length, 1)
    assert.is((await found('standard'))[0]?.[0], 'fail')
  }))

test('a ZFS that lacks much is told as what it is for', () =>
  withFakeZfs(
    async (fake) => {
      const world = wellWorld({ zfs: async () => fake.zfs })
      assert.is((await one(zfs.zfs, world)).verdict, 'warn')
      assert.match((await one(zfs.features, world)).found, /bookmarks/)
    },
    { flavour: 'zfs-fuse' },
  ))

test('a pool that can’t receive what its store allows is told with the command', async () => {
  for (const [flavour, mend] of [
    ['zfs-fuse', 'tidepool store receivable'],
    ['openzfs', undefined],
  ] as const)
    await withFakeZfs(
      async (fake) => {
        const allowing = memoryStore()
        await allowing.catalogue.setReceivable(['lz4'])
        const world = wellWorld({ zfs: async () => fake.zfs, store: async () => allowing })
        const finding = await one(store.receivable, world)
        assert.is(finding.verdict, mend === undefined ? 'ok' : 'fail', JSON.stringify(finding))
        assert.is(finding.mend, mend)
      },
      { flavour },
    )
})

test('what zpool says of its last scrub is understood, in the words of every version', () => {
  const date = 'Sun Nov  1 00:24:01 2026'
  const endedMs = Date.parse(date)
  assert.equal(lastScrub(`  scan: scrub repaired 0B in 00:00:01 with 3 errors on ${date}\n`), {
    endedMs,
    errors: 3,
  })
  assert.equal(lastScrub(` scrub: scrub completed after 0h0m with 0 errors on ${date}\n`), {
    endedMs,
    errors: 0,
  })
  assert.equal(lastScrub('  scan: scrub in progress since x\n'), { running: 'one is under way' })
  assert.is(lastScrub(' scan: none requested\n'), undefined)
  assert.is(lastScrub('  pool: x\n'), undefined)
})

test('a scrub of the pool that found something, or that was long ago, is told with the command', async () => {
  const scrubbed = (daysAgo: number, errors: number) => {
    const date = new Date(NOW_MS - daysAgo * 86_400_000).toString().replace(/ GMT.*/, '')
    const text = `  scan: scrub repaired 0B in 00:00:01 with ${errors} errors on ${date}\n`
    return wellWorld({ zfs: async () => ({ commands: { read: async () => text } }) as unknown as Zfs })
  }
  for (const [daysAgo, errors, verdict, found, mend] of [
    [3, 0, 'ok', /3 days ago/, undefined],
    [41, 0, 'warn', /41 days ago/, /zpool scrub tank/],
    [3, 2, 'fail', /found 2 errors/, /zpool status -v tank/],
  ] as const) {
    const finding = await one(zfs.poolScrub, scrubbed(daysAgo, errors))
    assert.is(finding.verdict, verdict, JSON.stringify(finding))
    assert.match(finding.found, found)
    if (mend) assert.match(finding.mend ?? '', mend)
  }
})

test('every check can warn or fail', () => {
  const shown = new Set(
    cases.filter(([, , verdict]) => verdict === 'warn' || verdict === 'fail').map(([check]) => check.name),
  )
  // Each of these in a test of its own: of the pool above, of the certificates in `certificates.test.ts`.
  for (const { name } of [
    zfs.features,
    zfs.pool,
    zfs.poolScrub,
    store.receivable,
    storeCertificates,
    ownCertificate,
  ])
    shown.add(name)
  assert.equal(
    checks.filter(({ name }) => !shown.has(name)).map(({ name }) => name),
    [],
  )
})

test('what hangs costs its own line alone, and what throws tells why', async () => {
  const hangs: Check = { name: 'hangs', run: () => new Promise(() => {}) }
  const throws: Check = { name: 'throws', run: () => Promise.reject(new Error('broken')) }
  const well: Check = { name: 'well', run: async () => ({ verdict: 'ok', found: 'yes' }) }
  const lines = await examine(wellWorld(), [hangs, throws, well], { signal, limitMs: 50 })
  assert.equal(
    lines.map(({ verdict, found }) => [verdict, found]),
    [
      ['fail', 'no answer within 0.05 s'],
      ['fail', 'broken'],
      ['ok', 'yes'],
    ],
  )
})

test('it ends with 2 where something fails, 1 where something is to be looked at, else 0', () => {
  assert.is(exitOf([{ verdict: 'ok' }, { verdict: 'skipped' }]), 0)
  assert.is(exitOf([{ verdict: 'ok' }, { verdict: 'warn' }]), 1)
  assert.is(exitOf([{ verdict: 'warn' }, { verdict: 'fail' }]), 2)
})

test.run()
