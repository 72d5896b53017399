/**
 * The tokens that are valid over TCP, in one file of root's. Only their digests are kept, so who reads the file can't use them. The file
 * is the record; whoever edits or replaces it by hand is heard at the next reload.
 */
import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import { writeAtomically } from '../../pipeline/base/atomic-file.ts'
import { errnoOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { ROLES, type Role } from './role.ts'
import { digestOf, isSame, newSecret } from './secret.ts'

/** It becomes part of `token:<name>` in logs. */
export const tokenName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'is no name: small letters, digits, . _ -')

const tokenSchema = z.strictObject({
  name: tokenName,
  role: z.enum(ROLES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
})
const fileSchema = z.strictObject({ version: z.literal(1), tokens: z.array(tokenSchema).max(1000) })

export type KeptToken = z.infer<typeof tokenSchema>

export class BearerTokens {
  readonly file: string
  readonly #nowMs: () => number
  #tokens: readonly KeptToken[] = []
  /** Changes come one after the other: each reads the file before it writes. */
  #changing: Promise<unknown> = Promise.resolve()

  /** It has no tokens before it was loaded; a file that is not there is one without. */
  constructor(file: string, nowMs: () => number = Date.now) {
    this.file = file
    this.#nowMs = nowMs
  }

  /** Rejects with `bad-tokens`; those from before are valid on then. */
  async reload(): Promise<void> {
    this.#tokens = await read(this.file)
  }

  list(): readonly KeptToken[] {
    return this.#tokens
  }

  /** Each is compared, so that the time tells nothing about which of them it was like. */
  find(secret: string): KeptToken | 'expired' | undefined {
    const digest = digestOf(secret)
    let found: KeptToken | undefined
    for (const token of this.#tokens) if (isSame(digest, Buffer.from(token.sha256, 'hex'))) found = token
    if (found?.expiresAt && Date.parse(found.expiresAt) <= this.#nowMs()) return 'expired'
    return found
  }

  /** Resolves with the secret, which is nowhere else from then on. */
  async create(
    name: string,
    role: Role,
    expiresAtMs?: number,
  ): Promise<{ secret: string; token: KeptToken }> {
    const secret = newSecret()
    const token: KeptToken = {
      name,
      role,
      sha256: digestOf(secret).toString('hex'),
      createdAt: new Date(this.#nowMs()).toISOString(),
      expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
    }
    await this.#change((tokens) => {
      if (tokens.some((one) => one.name === name))
        throw new TidepoolError('token-exists', `there is a token ${name} already`, {
          hint: 'Choose another name, or remove that one first.',
        })
      return [...tokens, token]
    })
    return { secret, token }
  }

  /** False where there was none of that name. */
  async remove(name: string): Promise<boolean> {
    let was = false
    await this.#change((tokens) => {
      was = tokens.some((one) => one.name === name)
      return tokens.filter((one) => one.name !== name)
    })
    return was
  }

  #change(to: (tokens: readonly KeptToken[]) => readonly KeptToken[]): Promise<void> {
    const next = this.#changing.then(async () => {
      const tokens = to(await read(this.file))
      const text = `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`
      await writeAtomically(this.file, [Buffer.from(text)], { mode: 0o600 })
      this.#tokens = tokens
    })
    this.#changing = next.catch(() => {})
    return next
  }
}

async function read(file: string): Promise<readonly KeptToken[]> {
  try {
    const { mode, uid } = await stat(file)
    if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== process.getuid?.()))
      throw unusable(file, 'others than root may change it')
    const checked = fileSchema.safeParse(JSON.parse(await readFile(file, 'utf8')))
    if (checked.success) return checked.data.tokens
    const [first] = checked.error.issues
    throw unusable(file, `${first?.path.join('.')}: ${first?.message}`)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    if (error instanceof TidepoolError) throw error
    throw unusable(file, messageOf(error), error)
  }
}

const unusable = (file: string, why: string, cause?: unknown): TidepoolError =>
  new TidepoolError('bad-tokens', `the file of tokens ${file} can't be used: ${why}`, {
    cause,
    hint: 'Mend it (chown root, chmod 600), or remove it and create the tokens anew.',
  })
