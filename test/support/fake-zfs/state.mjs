// What the fake knows: datasets in one JSON file, their files in directories beside it.
import { appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function load(directory) {
  return JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8'))
}

/** Of file systems that are none: above what a kernel has given to those that are, in whatever namespace somebody has them. */
const DEVICES_FROM = 1_000_000

export function save(directory, state) {
  const file = join(directory, 'state.json')
  writeFileSync(`${file}.new`, JSON.stringify(state))
  renameSync(`${file}.new`, file)
  const mounts = Object.entries(state.datasets).filter(([, { mounted }]) => mounted)
  const type = state.flavour === 'zfs-fuse' ? 'fuse.zfs' : 'zfs'
  const escaped = (text) =>
    text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)
  const lines = mounts.map(
    ([name, { mounted }], index) =>
      `${100 + index} 1 0:${DEVICES_FROM + index} / ${escaped(mounted)} rw - ${type} ${escaped(name)} rw\n`,
  )
  // The kernel's is never seen half-written.
  const made = join(directory, 'mountinfo.new')
  writeFileSync(made, `1 0 0:1 / / rw - tmpfs none rw\n${lines.join('')}`)
  renameSync(made, join(directory, 'mountinfo'))
}

export function log(directory, entry) {
  appendFileSync(join(directory, 'calls.jsonl'), `${JSON.stringify(entry)}\n`)
}

/** The first fault that fits this command and has times left; it is used up by that. */
export function takeFault(directory, line) {
  const file = join(directory, 'faults.json')
  const faults = JSON.parse(readFileSync(file, 'utf8'))
  const fault = faults.find(({ match, times = 1 }) => times > 0 && new RegExp(match).test(line))
  if (fault) {
    fault.times = (fault.times ?? 1) - 1
    writeFileSync(file, JSON.stringify(faults))
  }
  return fault
}

export const filesOf = (directory, guid) => join(directory, 'files', guid)

export function newFiles(directory, guid) {
  mkdirSync(filesOf(directory, guid), { recursive: true })
}

export function copyFiles(directory, from, to) {
  rmSync(filesOf(directory, to), { recursive: true, force: true })
  cpSync(filesOf(directory, from), filesOf(directory, to), {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    // Only with a filter does Node 24 keep the modes of directories.
    filter: () => true,
  })
}

export function dropFiles(directory, guid) {
  rmSync(filesOf(directory, guid), { recursive: true, force: true })
}

/** GUIDs in the upper half too: what takes them for signed or for floating numbers is found out. */
export function newGuid(state) {
  state.guids = (state.guids ?? 0) + 1
  return String((BigInt(state.guids) * 0x9e3779b97f4a7c15n + BigInt(state.seed ?? 0)) % 2n ** 64n || 1n)
}

/** What its files are kept under: a received snapshot has the GUID of the one that was sent, and files of its own. */
export function newKey(state) {
  state.keys = (state.keys ?? 0) + 1
  return String(state.keys)
}
