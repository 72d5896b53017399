/** What else keeps home directories, where it is installed: a first copy of the same files, for comparison only. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.ts'
import { spread } from './pairs.ts'
import type { Row, Settings } from './report.ts'

const ROUNDS = 3

interface Peer {
  readonly name: string
  /** `$1` is the directory to keep, `$2` where to. */
  readonly script: string
}

const PEERS: readonly Peer[] = [
  { name: 'rsync', script: 'rsync -a "$1/" "$2/"; sync' },
  {
    name: 'restic',
    script: 'export RESTIC_PASSWORD=x; restic -q init -r "$2" && restic -q backup -r "$2" "$1"; sync',
  },
  {
    name: 'borg',
    script: 'export BORG_BASE_DIR="$2.base"; borg init -e none "$2" && borg create "$2::a" "$1"; sync',
  },
]

export async function peers(files: string, { scratch }: Settings): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, script } of PEERS) {
    if (spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0) continue
    const target = join(scratch, name)
    const seconds: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await run(['sync'])
      seconds.push((await run(['sh', '-c', script, 'sh', files, target])).seconds)
      for (const path of [target, `${target}.base`]) rmSync(path, { recursive: true, force: true })
    }
    const took = spread(seconds)
    rows.push({ name: `${name}: a first copy`, value: took.median, unit: 's', spread: took })
  }
  return rows
}
