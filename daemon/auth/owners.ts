/** Keeps the owners' tokens in step with what is mounted on this host. */
import { join } from 'node:path'
import { messageOf } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Engine } from '../projects/engine.ts'
import { mountPointOf } from '../projects/mount-point.ts'
import { OwnerTokens } from './owner-tokens.ts'

/** Beside the sockets; each project's is `<run>/owners/<id>`. */
export const ownersDirectoryOf = (run: string): string => join(run, 'owners')

export class Owners {
  readonly tokens: OwnerTokens

  private constructor(tokens: OwnerTokens) {
    this.tokens = tokens
  }

  static async open(run: string): Promise<Owners> {
    return new Owners(await OwnerTokens.open(ownersDirectoryOf(run)))
  }

  /** What the pool holds keeps its tokens; those of what is mounted are looked at, for its owner may have changed meanwhile. */
  async start({ found, host, saves }: Pick<Engine, 'found' | 'host' | 'saves'>): Promise<void> {
    const resident = new Set<string>(found.residents.map(({ id }) => id))
    await this.tokens.keepOnly((id) => resident.has(id) || saves.state(id as ProjectId) !== undefined)
    const mounted = found.residents.filter((one) => one.mounted)
    await Promise.all(mounted.map(({ id }) => this.mounted(id, mountPointOf(host, id))))
  }

  /** A project that is open is worth more than its owner's token: the next open tries again. */
  async mounted(id: ProjectId, path: string): Promise<void> {
    try {
      await this.tokens.settle(id, path)
    } catch (error) {
      complain(`the owner of project ${id} has no token: ${messageOf(error)}`)
    }
  }

  left(id: ProjectId): void {
    try {
      this.tokens.remove(id)
    } catch (error) {
      complain(`the token of project ${id}, which has left, is still there: ${messageOf(error)}`)
    }
  }
}

const complain = (text: string): void => void process.stderr.write(`tidepool: ${text}\n`)
