// The verbs of the fake, with the words of the real ones where something is wrong.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { copyFiles, dropFiles, filesOf, newFiles, newGuid, newKey } from './state.mjs'
import { decode, encode, pack, unpack } from './stream.mjs'

export class Complaint extends Error {
  constructor(message, exit = 1, output = '') {
    super(message)
    this.exit = exit
    this.output = output
  }
}

const fail = (message, exit) => {
  throw new Complaint(message, exit)
}
const now = () => Math.floor(Date.now() / 1000)
const missing = (name) => fail(`cannot open '${name}': dataset does not exist`)

function datasetOf(state, name) {
  return state.datasets[name] ?? missing(name)
}

function snapshotOf(state, name) {
  const [dataset, tag] = name.split('@')
  const snapshot = state.datasets[dataset]?.snapshots.find((one) => one.tag === tag)
  return snapshot ? { dataset: state.datasets[dataset], snapshot, name: dataset } : missing(name)
}

/** Splits `-rH -o x,y NAME` into flags, values of the flags that take one, and the rest. */
function options(args, valued = '') {
  const flags = new Set()
  const values = {}
  const rest = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]
    if (!arg.startsWith('-') || arg === '-') {
      rest.push(arg)
      continue
    }
    for (let letter = 1; letter < arg.length; letter++) {
      const flag = arg[letter]
      if (!valued.includes(flag)) flags.add(flag)
      else {
        values[flag] = [...(values[flag] ?? []), arg.slice(letter + 1) || args[++at]]
        break
      }
    }
  }
  return { flags, values, rest }
}

const assigned = (list = []) =>
  Object.fromEntries(list.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]))

function newDataset(state, directory, name, props = {}) {
  if (state.datasets[name]) fail(`cannot create '${name}': dataset already exists`)
  const [pool] = name.split('/')
  if (!state.pools[pool]) fail(`cannot create '${name}': no such pool '${pool}'`)
  if (!state.datasets[dirname(name)] && name !== pool) fail(`cannot create '${name}': parent does not exist`)
  if (state.full) fail(`cannot create '${name}': out of space`)
  const guid = newGuid(state)
  const files = newKey(state)
  newFiles(directory, files)
  state.datasets[name] = {
    guid,
    files,
    createtxg: state.txg,
    creation: now(),
    props,
    snapshots: [],
    bookmarks: [],
    mounted: null,
  }
  return state.datasets[name]
}

/** The value of an inherited property and where it comes from. */
function inherited(state, name, property, otherwise) {
  const [value, source] = withoutAltroot(state, name, property, otherwise)
  const { altroot = '' } = state.pools[name.split('/')[0]] ?? {}
  return [property === 'mountpoint' && value.startsWith('/') ? altroot + value : value, source]
}

function withoutAltroot(state, name, property, otherwise) {
  for (let at = name; at !== '.'; at = dirname(at)) {
    const value = state.datasets[at]?.props[property]
    if (value === undefined) continue
    const below = property === 'mountpoint' && value.startsWith('/') ? value + name.slice(at.length) : value
    return [below, at === name ? 'local' : `inherited from ${at}`]
  }
  return [property === 'mountpoint' ? `/${name}` : otherwise, 'default']
}

const DEFAULTS = {
  canmount: 'on',
  compression: 'off',
  atime: 'on',
  recordsize: '131072',
  setuid: 'on',
  devices: 'on',
  readonly: 'off',
  quota: '0',
  refquota: '0',
}
const POOL_FEATURES = [
  'lz4_compress',
  'embedded_data',
  'large_blocks',
  'large_dnode',
  'encryption',
  'zstd_compress',
]
const SINCE_OPENZFS = { xattr: 'on', acltype: 'off', dnodesize: 'legacy', sync: 'standard' }
const NOT_INHERITED = ['canmount', 'quota', 'refquota']

/** As `-p` tells it, however it was given. */
const inBytes = (text) => (text.endsWith('K') ? String(1024 * Number.parseInt(text, 10)) : text)

function sizeOf(path) {
  let bytes = 0
  for (const entry of readdirSync(path, { withFileTypes: true }))
    bytes += entry.isDirectory() ? sizeOf(join(path, entry.name)) : lstatSync(join(path, entry.name)).size
  return bytes
}

/** Whether its files are not those of its newest snapshot, roughly in bytes. */
function writtenBytes(directory, dataset) {
  const newest = dataset.snapshots.at(-1)
  const live = pack(filesOf(directory, dataset.files))
  return newest && live === pack(filesOf(directory, newest.files)) ? 0 : live.length
}

/** What OpenZFS counts as written after a rollback, though no file is another. */
const ROLLBACK_BYTES = 8192

/** Between a snapshot and the one before it. */
function writtenIn(directory, { snapshots }, snapshot) {
  const before = snapshots[snapshots.indexOf(snapshot) - 1]
  const text = pack(filesOf(directory, snapshot.files))
  return before && text === pack(filesOf(directory, before.files)) ? 0 : text.length
}

function property(state, directory, item, name) {
  const { kind, dataset, snapshot, full } = item
  const own = snapshot ?? dataset
  const fuse = state.flavour === 'zfs-fuse'
  if (name.includes(':')) {
    if (kind === 'snapshot') return own.props?.[name] === undefined ? ['-', '-'] : [own.props[name], 'local']
    const [value, source] = inherited(state, full, name, '-')
    return source === 'default' ? ['-', '-'] : [value, source]
  }
  const since = ['written', 'logicalused', 'receive_resume_token', ...Object.keys(SINCE_OPENZFS)]
  if (fuse && since.includes(name) && name !== 'xattr')
    fail(`bad property list: invalid property '${name}'\nusage:\n\tget`, 2)
  const live = kind === 'filesystem'
  const computed = {
    type: () => kind,
    guid: () => own.guid,
    createtxg: () => own.createtxg,
    creation: () => own.creation,
    used: () => (live ? sizeOf(filesOf(directory, own.files)) : '0'),
    referenced: () => (kind === 'bookmark' ? '-' : sizeOf(filesOf(directory, own.files))),
    logicalused: () => (live ? sizeOf(filesOf(directory, own.files)) : '-'),
    available: () => (live ? (state.full ? 0 : 1_000_000_000) : '-'),
    // What the first write since replaces, roughly.
    usedbysnapshots: () =>
      live
        ? (own.snapshotBytes ?? (fuse && dataset.snapshots.length > 0 ? writtenBytes(directory, dataset) : 0))
        : '-',
    mounted: () => (live ? (own.mounted ? 'yes' : 'no') : '-'),
    origin: () => '-',
    receive_resume_token: () => '-',
    userrefs: () => (kind === 'snapshot' ? own.holds.length : '-'),
    written: () =>
      live
        ? writtenBytes(directory, dataset) || (dataset.rolledBack ? ROLLBACK_BYTES : 0)
        : kind === 'snapshot'
          ? writtenIn(directory, dataset, snapshot) || (snapshot.rolledBack ? ROLLBACK_BYTES : 0)
          : '-',
  }
  if (computed[name]) return [String(computed[name]()), '-']
  if (!live) return ['-', '-']
  if (name === 'mountpoint') return inherited(state, full, name)
  if (name === 'recordsize') {
    const [text, source] = inherited(state, full, name, DEFAULTS[name])
    return [inBytes(text), source]
  }
  const otherwise = DEFAULTS[name] ?? SINCE_OPENZFS[name]
  if (otherwise === undefined) fail(`bad property list: invalid property '${name}'\nusage:\n\tget`, 2)
  return NOT_INHERITED.includes(name) && dataset.props[name] === undefined
    ? [otherwise, 'default']
    : inherited(state, full, name, otherwise)
}

/** The named one and what is below it, down to `depth`; a snapshot or bookmark is one below its dataset. */
function* items(state, name, depth, types) {
  const wanted = (kind) => !types || types.includes(kind)
  if (name.includes('@')) {
    const { dataset, snapshot } = snapshotOf(state, name)
    yield { kind: 'snapshot', dataset, snapshot, full: name }
    return
  }
  if (name.includes('#')) {
    const dataset = datasetOf(state, name.split('#')[0])
    const snapshot = dataset.bookmarks.find(({ tag }) => tag === name.split('#')[1]) ?? missing(name)
    yield { kind: 'bookmark', dataset, snapshot, full: name }
    return
  }
  datasetOf(state, name)
  const level = (full) => full.split('/').length - name.split('/').length
  const names = Object.keys(state.datasets).filter((full) => full === name || full.startsWith(`${name}/`))
  for (const full of names.sort()) {
    const dataset = state.datasets[full]
    if (level(full) > depth) continue
    if (wanted('filesystem')) yield { kind: 'filesystem', dataset, full }
    if (level(full) + 1 > depth) continue
    if (wanted('snapshot'))
      for (const snapshot of dataset.snapshots)
        yield { kind: 'snapshot', dataset, snapshot, full: `${full}@${snapshot.tag}` }
    if (types?.includes('bookmark'))
      for (const snapshot of dataset.bookmarks)
        yield { kind: 'bookmark', dataset, snapshot, full: `${full}#${snapshot.tag}` }
  }
}

const get = {
  read(state, { directory, args }) {
    const { flags, values, rest } = options(args, 'dto')
    const [asked, ...names] = rest
    const depth = values.d ? Number(values.d[0]) : flags.has('r') ? Number.POSITIVE_INFINITY : 0
    if (values.t && state.flavour === 'zfs-fuse') fail("invalid option 't'\nusage:\n\tget", 2)
    const types = values.t?.[0].split(',')
    let output = ''
    for (const name of names)
      for (const item of items(state, name, depth, depth === 0 ? undefined : types))
        for (const wanted of asked.split(',')) {
          const [value, source] = property(state, directory, item, wanted)
          const columns = { name: item.full, property: wanted, value, source }
          output += `${(values.o?.[0] ?? 'name,property,value,source')
            .split(',')
            .map((column) => columns[column])
            .join('\t')}\n`
        }
    return output
  },
}

const list = {
  read(state, { args }) {
    const { flags, values, rest } = options(args, 'dtosS')
    if (flags.has('p') && state.flavour === 'zfs-fuse') fail("invalid option 'p'\nusage:\n\tlist", 2)
    const depth = values.d ? Number(values.d[0]) : flags.has('r') ? Number.POSITIVE_INFINITY : 0
    const types = values.t?.[0].split(',') ?? ['filesystem']
    const names = rest.length > 0 ? rest : Object.keys(state.pools)
    return names
      .flatMap((name) => [...items(state, name, depth, types)].map(({ full }) => `${full}\n`))
      .join('')
  },
}

function create(state, { directory, args }) {
  const { values, rest } = options(args, 'o')
  newDataset(state, directory, rest[0], assigned(values.o))
}

function snapshot(state, { directory, args }) {
  const { values, rest } = options(args, 'o')
  const [name, tag] = rest[0].split('@')
  const dataset = datasetOf(state, name)
  if (dataset.snapshots.some((one) => one.tag === tag))
    fail(`cannot create snapshot '${rest[0]}': dataset already exists`)
  if (state.full) fail(`cannot create snapshot '${rest[0]}': out of space`)
  const guid = newGuid(state)
  const files = newKey(state)
  copyFiles(directory, dataset.files, files)
  dataset.snapshots.push({
    tag,
    guid,
    files,
    createtxg: state.txg,
    creation: now(),
    props: assigned(values.o),
    holds: [],
    rolledBack: dataset.rolledBack,
  })
  dataset.rolledBack = false
}

function destroy(state, { directory, args }) {
  const { flags, rest } = options(args)
  const [full] = rest
  if (full.includes('#')) {
    const dataset = datasetOf(state, full.split('#')[0])
    const at = dataset.bookmarks.findIndex(({ tag }) => tag === full.split('#')[1])
    if (at < 0) fail(`bookmark '${full}' does not exist.`)
    dataset.bookmarks.splice(at, 1)
    return
  }
  if (full.includes('@')) {
    const { dataset, snapshot: found } = snapshotOf(state, full)
    if (found.holds.length > 0) fail(`cannot destroy '${full}': dataset is busy`)
    dropFiles(directory, found.files)
    dataset.snapshots.splice(dataset.snapshots.indexOf(found), 1)
    return
  }
  datasetOf(state, full)
  if (!full.includes('/')) fail(`cannot destroy '${full}': operation does not apply to pools`)
  const all = Object.keys(state.datasets).filter((name) => name === full || name.startsWith(`${full}/`))
  if (!flags.has('r') && (all.length > 1 || state.datasets[full].snapshots.length > 0))
    fail(
      `cannot destroy '${full}': filesystem has children\nuse '-r' to destroy the following datasets:\n${full}@...`,
    )
  const held = all.flatMap((name) =>
    state.datasets[name].snapshots.filter(({ holds }) => holds.length > 0).map(({ tag }) => `${name}@${tag}`),
  )
  if (held.length > 0) fail(`cannot destroy '${held[0]}': dataset is busy`)
  for (const name of all) {
    for (const { files } of [state.datasets[name], ...state.datasets[name].snapshots])
      dropFiles(directory, files)
    delete state.datasets[name]
  }
}

function rename(state, { args }) {
  const [from, to] = options(args).rest
  if (state.datasets[to]) fail(`cannot rename '${from}': dataset already exists`)
  const dataset = datasetOf(state, from)
  if (dataset.mounted) fail(`cannot rename '${from}': dataset is busy`)
  if (!state.datasets[dirname(to)]) fail(`cannot create '${to}': parent does not exist`)
  for (const name of Object.keys(state.datasets).filter(
    (one) => one === from || one.startsWith(`${from}/`),
  )) {
    state.datasets[to + name.slice(from.length)] = state.datasets[name]
    delete state.datasets[name]
  }
}

function set(state, { directory, args }) {
  const { rest } = options(args)
  const name = rest.at(-1)
  const target = name.includes('@') ? snapshotOf(state, name).snapshot : datasetOf(state, name)
  // zfs-fuse takes what comes behind the first for further names.
  const given = assigned(state.flavour === 'zfs-fuse' ? rest.slice(0, 1) : rest.slice(0, -1))
  const wasNowhere = 'mountpoint' in given && !inherited(state, name, 'mountpoint')[0].startsWith('/')
  Object.assign(target.props, given)
  // What had no place and may mount by itself is mounted by being given one.
  if (wasNowhere && (target.props.canmount ?? 'on') === 'on' && given.mountpoint.startsWith('/'))
    mount(state, { directory, args: [name] })
}

function inherit(state, { args }) {
  const [wanted, name] = options(args).rest
  const target = name.includes('@') ? snapshotOf(state, name).snapshot : datasetOf(state, name)
  delete target.props[wanted]
}

function rollback(state, { directory, args }) {
  const { flags, rest } = options(args)
  const { dataset, snapshot: to } = snapshotOf(state, rest[0])
  const newer = dataset.snapshots.slice(dataset.snapshots.indexOf(to) + 1)
  if (newer.length > 0 && !flags.has('r'))
    fail(
      `cannot rollback to '${rest[0]}': more recent snapshots exist\nuse '-r' to force deletion of the following snapshots:`,
    )
  if (newer.some(({ holds }) => holds.length > 0)) fail(`cannot destroy '${rest[0]}': dataset is busy`)
  for (const { files } of newer) dropFiles(directory, files)
  dataset.snapshots.length -= newer.length
  dataset.bookmarks = dataset.bookmarks.filter(({ createtxg }) => createtxg <= to.createtxg)
  copyFiles(directory, to.files, dataset.files)
  dataset.rolledBack = true
}

function hold(state, { args }) {
  const [tag, name] = options(args).rest
  const { holds } = snapshotOf(state, name).snapshot
  if (holds.includes(tag)) fail(`cannot hold '${name}': tag already exists on this dataset`)
  holds.push(tag)
}

function release(state, { args }) {
  const [tag, name] = options(args).rest
  const { holds } = snapshotOf(state, name).snapshot
  if (!holds.includes(tag)) fail(`cannot release '${tag}' from '${name}': no such tag on this dataset`)
  holds.splice(holds.indexOf(tag), 1)
}

const holds = {
  read(state, { args }) {
    if (state.flavour === 'zfs-fuse')
      throw new Complaint('', 255, 'internal error: /usr/lib/zfs/pyzfs.py not found\n')
    const [name] = options(args).rest
    return snapshotOf(state, name)
      .snapshot.holds.map((tag) => `${name}\t${tag}\tSun Nov 22 10:00 2026\n`)
      .join('')
  },
}

function bookmark(state, { args }) {
  const [from, to] = args
  const { dataset, snapshot: of } = snapshotOf(state, from)
  const tag = to.split('#')[1]
  if (dataset.bookmarks.some((one) => one.tag === tag))
    fail(`cannot create bookmark '${to}': bookmark exists`)
  dataset.bookmarks.push({ tag, guid: of.guid, createtxg: of.createtxg, creation: of.creation })
}

function mount(state, { directory, args }) {
  const [name] = options(args).rest
  const dataset = datasetOf(state, name)
  const [at] = inherited(state, name, 'mountpoint')
  if (dataset.mounted) fail(`cannot mount '${name}': filesystem already mounted`)
  if (!at.startsWith('/')) fail(`cannot mount '${name}': no mountpoint set`)
  if (dataset.props.canmount === 'off') fail(`cannot mount '${name}': 'canmount' property is set to 'off'`)
  if (existsSync(at)) {
    if (readdirSync(at).length > 0) fail(`cannot mount '${at}': directory is not empty`)
    rmdirSync(at)
  } else mkdirSync(dirname(at), { recursive: true })
  symlinkSync(filesOf(directory, dataset.files), at)
  dataset.mounted = at
}

function unmount(state, { args }) {
  const [name] = options(args).rest
  const dataset = datasetOf(state, name)
  if (!dataset.mounted) fail(`cannot unmount '${name}': not currently mounted`)
  unlinkSync(dataset.mounted)
  mkdirSync(dataset.mounted)
  dataset.mounted = null
}

const send = {
  read(state, { directory, args }) {
    const { flags, values, rest } = options(args, 'i')
    if (state.flavour === 'zfs-fuse' && flags.size > 0)
      fail(`invalid option '${[...flags][0]}'\nusage:\n\tsend`, 2)
    const { dataset, snapshot: to } = snapshotOf(state, rest[0])
    let from
    if (values.i) {
      const [, tag] = values.i[0].split(/[@#]/)
      const among = values.i[0].includes('#') ? dataset.bookmarks : dataset.snapshots
      from =
        among.find((one) => one.tag === tag) ??
        fail(`warning: cannot send '${rest[0]}': incremental source (${values.i[0]}) does not exist`)
      if (from.createtxg >= to.createtxg)
        fail(`warning: cannot send '${rest[0]}': not an earlier snapshot from the same fs`)
    }
    // Read now: zfs-fuse lets a snapshot be destroyed under its send, and so does this.
    const text = pack(filesOf(directory, to.files))
    const same = from?.files !== undefined && text === pack(filesOf(directory, from.files))
    return [
      ...encode({
        toGuid: to.guid,
        fromGuid: from?.guid,
        name: rest[0],
        createdS: to.creation,
        text: same ? undefined : text,
      }),
    ]
  },
}

const receive = {
  async prepare({ args, stdin }) {
    const { flags } = options(args, 'ox')
    if (flags.has('A')) return { abort: true }
    try {
      return await decode(stdin)
    } catch (error) {
      return { broken: error.message }
    }
  },
  finish(state, { directory, args, prepared }) {
    const { rest, values } = options(args, 'ox')
    const [name] = rest
    if (prepared.abort) fail(`'${name}' does not have any resumable receive state to abort`)
    const fuse = state.flavour === 'zfs-fuse'
    const words = {
      empty: 'cannot receive: failed to read from stream',
      magic: 'cannot receive: invalid stream (bad magic number)',
      truncated: `cannot receive new filesystem stream: ${fuse ? 'invalid backup stream' : 'incomplete stream'}`,
      checksum: `cannot receive new filesystem stream: ${fuse ? 'invalid stream (checksum mismatch)' : 'checksum mismatch'}`,
    }
    if (prepared.broken) fail(words[prepared.broken] ?? prepared.broken)
    if (state.full) fail('cannot receive new filesystem stream: out of space')
    const [full, tag = prepared.name.split('@')[1]] = name.split('@')
    let dataset = state.datasets[full]
    if (prepared.fromGuid === undefined) {
      if (dataset)
        fail(
          `cannot receive new filesystem stream: destination '${full}' exists\nmust specify -F to overwrite it`,
        )
      if (!state.datasets[dirname(full)])
        fail(
          `cannot open '${full}': dataset does not exist\ncannot receive new filesystem stream: dataset does not exist`,
        )
      dataset = newDataset(state, directory, full, assigned(values.o))
    } else {
      const fits = (one) => one.snapshots.at(-1)?.guid === prepared.fromGuid
      // As zfs-fuse does it: the base is looked for in the whole pool, and the name does not matter.
      if (!dataset && fuse) dataset = Object.values(state.datasets).find(fits)
      if (!dataset) fail(`cannot receive incremental stream: destination '${full}' does not exist`)
      if (!fits(dataset))
        fail(
          `cannot receive incremental stream: most recent snapshot of ${full} does not\nmatch incremental source`,
        )
      if (writtenBytes(directory, dataset) > 0)
        fail(
          `cannot receive incremental stream: destination ${full} has been modified\nsince most recent snapshot`,
        )
    }
    if (prepared.text !== undefined) unpack(filesOf(directory, dataset.files), prepared.text)
    const files = newKey(state)
    copyFiles(directory, dataset.files, files)
    dataset.snapshots.push({
      tag,
      guid: prepared.toGuid,
      files,
      createtxg: state.txg,
      creation: prepared.createdS,
      props: {},
      holds: [],
    })
  },
}

/** What mounts by itself is mounted; what can't be is complained of, and the rest stays done. */
function mountAll(state, context, names) {
  const complaints = []
  for (const name of names) {
    const [at] = inherited(state, name, 'mountpoint')
    if ((state.datasets[name].props.canmount ?? 'on') !== 'on' || !at.startsWith('/')) continue
    try {
      // Asked before: there Node would try to make directories for ever.
      if (at.startsWith('/proc/')) fail(`cannot mount '${at}': failed to create mountpoint`)
      mount(state, { ...context, args: [name] })
    } catch (error) {
      if (!(error instanceof Complaint)) throw error
      complaints.push(error.message)
    }
  }
  return complaints.length > 0 ? complaints.join('\n') : undefined
}

const usedBy = (state, name, { host, hostid, at }) =>
  state.flavour === 'zfs-fuse'
    ? `cannot import '${name}': pool may be in use from other system, it was last accessed by ${host} (hostid: 0x${hostid}) on ${at}\nuse '-f' to import anyway`
    : `cannot import '${name}': pool was previously in use from another system.\nLast accessed by ${host} (hostid=${hostid}) at ${at}\nThe pool can be imported, use 'zpool import -f' to import the pool.`

const poolOf = (state, name) => state.pools[name] ?? fail(`cannot open '${name}': no such pool`)

const pool = {
  create(state, { directory, args }) {
    const { values, rest } = options(args, 'oOmR')
    const [name, device] = rest
    if (state.pools[name]) fail(`cannot create '${name}': pool already exists`)
    if (!existsSync(device)) fail(`cannot resolve path '${device}'`)
    const user = Object.entries(state.pools).find(([, one]) => one.device === device)
    if (user)
      fail(
        `invalid vdev specification\nuse '-f' to override the following errors:\n${device} is part of active pool '${user[0]}'`,
      )
    if (statSync(device).isFile() && statSync(device).size < 2 ** 26)
      fail(`cannot create '${name}': one or more devices is less than the minimum size (64M)`)
    state.pools[name] = { guid: newGuid(state), device, health: 'ONLINE', props: assigned(values.o) }
    newDataset(state, directory, name, assigned(values.O))
  },
  destroy(state, { args }) {
    const [name] = options(args).rest
    poolOf(state, name)
    delete state.pools[name]
    for (const one of Object.keys(state.datasets))
      if (one === name || one.startsWith(`${name}/`)) delete state.datasets[one]
  },
  export(state, { args }) {
    const [name] = options(args).rest
    poolOf(state, name)
    const inside = Object.keys(state.datasets).filter((one) => one === name || one.startsWith(`${name}/`))
    const busy = inside.find((one) => state.datasets[one].mounted)
    if (busy) fail(`cannot unmount '${state.datasets[busy].mounted}': pool or dataset is busy`)
    state.exported[name] = {
      pool: state.pools[name],
      datasets: Object.fromEntries(inside.map((one) => [one, state.datasets[one]])),
    }
    delete state.pools[name]
    for (const one of inside) delete state.datasets[one]
  },
  import(state, context) {
    const { flags, values, rest } = options(context.args, 'doR')
    if (flags.has('N') && state.flavour === 'zfs-fuse') fail("invalid option 'N'\nusage:\n\timport", 2)
    const [name] = rest
    if (state.pools[name]) fail(`cannot import '${name}': a pool with that name already exists`)
    const found = state.exported[name] ?? fail(`cannot import '${name}': no such pool available`)
    if (found.usedBy && !flags.has('f')) fail(usedBy(state, name, found.usedBy))
    state.pools[name] = { ...found.pool, altroot: values.R?.[0] }
    Object.assign(state.datasets, found.datasets)
    delete state.exported[name]
    return flags.has('N') ? undefined : mountAll(state, context, Object.keys(found.datasets))
  },
  /** All features, but those that the pool is said to lack. */
  get: {
    read(state, { args }) {
      const { rest } = options(args, 'o')
      const { lacks = [] } = poolOf(state, rest[1])
      return POOL_FEATURES.map(
        (feature) => `feature@${feature}\t${lacks.includes(feature) ? 'disabled' : 'enabled'}\n`,
      ).join('')
    },
  },
  list: {
    read(state, { args }) {
      const { values, rest } = options(args, 'o')
      const names = rest.length > 0 ? rest : Object.keys(state.pools)
      const asked = (values.o?.[0] ?? 'name').split(',')
      if (state.flavour === 'zfs-fuse' && asked.includes('readonly'))
        fail("bad property list: invalid property 'readonly'\nusage:\n\tlist", 2)
      return names
        .map((name) => {
          const { guid, health, altroot, readonly = 'off' } = poolOf(state, name)
          const columns = { name, guid, health, altroot, readonly, capacity: state.full ? '100%' : '1%' }
          return `${asked.map((column) => columns[column] ?? '-').join('\t')}\n`
        })
        .join('')
    },
  },
}

export const commands = {
  zfs: {
    get,
    list,
    create,
    snapshot,
    destroy,
    rename,
    set,
    inherit,
    rollback,
    hold,
    release,
    holds,
    bookmark,
    mount,
    unmount,
    send,
    receive,
  },
  zpool: pool,
}
