// Waits until a node's CQL port is open and answers, and it and those that were started before it know each other.
// Called by cassandra.sh: LIMIT-SECONDS NODES I PID; exits 1 with the reason. Plain JavaScript: it also runs without tsx.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, policies, types } from 'cassandra-driver'

const [limitSeconds, , node, pid] = process.argv.slice(2).map(Number)
const address = `127.0.0.${node}:9042`
const deadline = Date.now() + limitSeconds * 1000

/** A node that has come up is told to the others by and by: until then a client of theirs misses its data centre. */
async function tryOnce() {
  for (let each = node; each > 0; each--) await ask(`127.0.0.${each}:9042`)
}

async function ask(contact) {
  const { AllowListPolicy, RoundRobinPolicy } = policies.loadBalancing
  const client = new Client({
    contactPoints: [contact],
    policies: { loadBalancing: new AllowListPolicy(new RoundRobinPolicy(), [contact]) },
    socketOptions: { connectTimeout: 2000, readTimeout: 5000 },
    pooling: { warmup: false },
  })
  try {
    await client.connect()
    const { rows } = await client.execute('SELECT data_center, host_id, tokens FROM system.peers_v2', [], {
      consistency: types.consistencies.one,
    })
    const known = rows.filter((row) => row.data_center && row.host_id && row.tokens).length
    if (known < node - 1) throw new Error(`${contact} knows ${known} of ${node - 1} others`)
  } catch (error) {
    // A node that wants a password answers, too.
    if (!JSON.stringify(error.innerErrors ?? error, Object.getOwnPropertyNames(error)).includes('uthenticat'))
      throw error
  } finally {
    await client.shutdown()
  }
}

function alive() {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // gone, which is the answer
  }
}

for (let last = 'nothing was tried'; ; await sleep(250)) {
  if (!alive()) fail(`its process ${pid} has ended`)
  if (Date.now() > deadline) fail(`no answer within ${limitSeconds} s (${last})`)
  try {
    await tryOnce()
    process.exit(0)
  } catch (error) {
    last = error.message
  }
}

function fail(reason) {
  console.error(`cassandra: node ${node} (${address}): ${reason}`)
  process.exit(1)
}
