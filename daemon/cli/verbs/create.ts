/** `create`: makes a project and opens it here. */
import { randomUUID } from 'node:crypto'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { assigned } from '../assigned.ts'
import type { Verb } from '../cli.ts'
import { parseSize } from '../units.ts'

interface Options {
  readonly quota?: string
  readonly owner?: string
  readonly property?: readonly string[]
}

interface Answer {
  readonly id: string
  readonly path: string
  readonly realPath: string
}

export const verb: Verb<[id: string | undefined], Options> = {
  configure(command) {
    command
      .argument('[id]', 'small letters, digits and dashes (default: a UUID)')
      .option('--quota <size>', 'what it may take: 512M, 10G (default: no limit)')
      .option('--owner <uid:gid>', 'whose its directory is (default: 0:0)')
      .option('--property <name=value...>', 'compression, recordsize or readonly of its dataset')
  },

  async run(cli, [text], { quota, owner, property }) {
    const id = projectId(text ?? randomUUID())
    const answer = await (await cli.client()).call<Answer>('POST', '/v1/projects', {
      signal: cli.signal,
      headers: { 'idempotency-key': randomUUID() },
      body: {
        id,
        ...(quota !== undefined && { quotaBytes: String(parseSize(quota)) }),
        ...(owner !== undefined && { owner: ownerOf(owner) }),
        ...(property && { properties: assigned(property) }),
      },
    })
    await cli.out.one(answer, () => [answer.path, `  really ${answer.realPath}`])
  },
}

function ownerOf(text: string): { readonly uid: number; readonly gid: number } {
  const [, uid, gid] = /^([0-9]{1,10}):([0-9]{1,10})$/.exec(text) ?? []
  if (uid === undefined)
    throw new TidepoolError('bad-owner', `${JSON.stringify(text)} is no uid and gid`, {
      hint: 'Give two numbers, such as 1000:1000.',
    })
  return { uid: Number(uid), gid: Number(gid) }
}
