/** Listens as systemd does for what a service tells: Node has no datagram sockets of the Unix kind, so a script of Perl does. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/**
 * Prints each datagram as a line, its own lines with tabs between them. `BARRIER=1` comes with a descriptor, by whose closing
 * `systemd-notify` knows that it was read; one that nobody takes is closed at once.
 */
const LISTEN = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($s, pack_sockaddr_un($ARGV[0])) or die $!;
print "listening\n";
while (defined recv($s, my $text, 65536, 0)) {
  next if $text =~ /^BARRIER=1/;
  chomp $text; $text =~ tr/\n/\t/;
  print "$text\n";
}`

export class NotifySocket {
  readonly path: string
  /** What each call told, its lines. */
  readonly told: string[][] = []
  readonly #child: ChildProcess

  private constructor(path: string, child: ChildProcess) {
    this.path = path
    this.#child = child
  }

  static async listen(directory: string): Promise<NotifySocket> {
    const path = join(directory, 'notify.sock')
    const child = spawn('perl', ['-e', LISTEN, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const made = new NotifySocket(path, child)
    let rest = ''
    const listening = new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`the listener ended with ${code}`)))
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = `${rest}${text}`.split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines)
          if (line === 'listening') resolve()
          else made.told.push(line.split('\t'))
      })
    })
    await listening
    return made
  }

  get lines(): readonly string[] {
    return this.told.flat()
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
