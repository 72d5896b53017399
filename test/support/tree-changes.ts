/** What people do in a home directory, drawn at random and written as shell lines, so that it can be done as any uid. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { chance, int, pick, type Random } from './random.ts'

const run = promisify(execFile)

/** Whose the projects of the tests are: neither root nor anybody of this machine. */
export const PLAIN = { uid: 54_321, gid: 54_321 }

/** Runs shell lines in a directory as a plain user; resolves with what they printed. */
export async function asPlainUser(directory: string, lines: string): Promise<string> {
  const { stdout } = await run('sh', ['-euc', lines], { cwd: directory, ...PLAIN, maxBuffer: 2 ** 26 })
  return stdout
}

/** Knows what is there by what it has drawn itself; each draw is one more change on top of those before. */
export class TreeChanges {
  readonly #random: Random
  #files: string[] = []
  #folders: string[] = ['.']
  #made = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Shell lines of `count` changes, to be run in the root of the tree. */
  draw(count: number): string {
    return Array.from({ length: count }, () => this.#one()).join('\n')
  }

  #one(): string {
    const kinds = this.#files.length < 5 ? this.#making : [...this.#making, ...this.#changing]
    return pick(this.#random, kinds)()
  }

  #name(what: string): string {
    this.#made += 1
    return `${pick(this.#random, this.#folders)}/${what}${this.#made}`
  }

  #newFile(what = 'file'): string {
    const name = this.#name(what)
    this.#files.push(name)
    return name
  }

  readonly #file = (): string => pick(this.#random, this.#files)
  readonly #size = (): number => int(this.#random, 0, chance(this.#random, 0.2) ? 400_000 : 5000)

  readonly #making: readonly (() => string)[] = [
    () => `head -c ${this.#size()} /dev/urandom > ${this.#newFile()}`,
    () => {
      const folder = this.#name('folder')
      this.#folders.push(folder)
      return `mkdir ${folder} && chmod 2750 ${folder}`
    },
    () => {
      const name = this.#newFile('sparse')
      const at = int(this.#random, 0, 4_000_000)
      return `truncate -s 5M ${name} && printf data | dd of=${name} bs=1 seek=${at} conv=notrunc status=none`
    },
    () => `ln -s 'to nowhere/${'x'.repeat(int(this.#random, 1, 900))}' ${this.#name('link')}`,
    () => `mkfifo -m 0604 ${this.#name('fifo')}`,
    // As long as a name can be, and bytes that are no text.
    () => `printf long > "${this.#name('')}-$(printf '%240s' '' | tr ' ' n)"`,
    () => `printf odd > "${this.#name('odd')} $(printf '\\377\\n\\303\\274\\\\*')."`,
    () => `: > ${this.#newFile('empty')}`,
  ]

  readonly #changing: readonly (() => string)[] = [
    () => `head -c ${this.#size()} /dev/urandom >> ${this.#file()}`,
    () => `printf changed | dd of=${this.#file()} bs=1 seek=${this.#size()} conv=notrunc status=none`,
    () => `: > ${this.#file()}`,
    () => {
      const gone = this.#file()
      this.#files = this.#files.filter((name) => name !== gone)
      return `rm ${gone}`
    },
    () => {
      const before = this.#file()
      this.#files = this.#files.filter((name) => name !== before)
      return `mv ${before} ${this.#newFile('moved')}`
    },
    () => `ln ${this.#file()} ${this.#newFile('hard')}`,
    () => `chmod ${pick(this.#random, ['0600', '0640', '4755', '0777'])} ${this.#file()}`,
    () => `touch -d '2001-02-03 04:05:06.789' ${this.#file()}`,
    () => `setfattr -n user.tidepool -v ${int(this.#random, 0, 1e9)} ${this.#file()}`,
    // Not every file system of the tests has access lists.
    () => `setfacl -m u:${int(this.#random, 1, 60_000)}:r ${this.#file()} 2>/dev/null || :`,
  ]
}
