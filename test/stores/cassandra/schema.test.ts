import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../../pipeline/base/errors.ts'
import {
  chunkOptions,
  createKeyspace,
  createTable,
  keyspaceName,
  modeText,
  parseMode,
  replicationText,
  TABLE_NAMES,
} from '../../../pipeline/stores/cassandra/schema.ts'

const test = suite('cassandra: schema')
const code = (wanted: string) => (error: unknown) => codeOf(error) === wanted

test('a mode is a data centre or global, and reads back', () => {
  for (const text of ['home:dc1', 'home:eu-west_1.a', 'global']) assert.is(modeText(parseMode(text)), text)
  for (const text of ['', 'home', 'home:', 'home:a b', 'GLOBAL', "home:x'"])
    assert.throws(() => parseMode(text), code('bad-mode'))
})

test("a keyspace's name needs no quotes", () => {
  assert.is(keyspaceName('tide_pool2'), 'tide_pool2')
  for (const text of ['', '2pool', 'Tide', 'a-b', 'a;b', 'a'.repeat(49)])
    assert.throws(() => keyspaceName(text), code('bad-keyspace'))
})

test('a replication reads the same in whatever order it was given', () => {
  assert.is(replicationText({ dc2: 2, dc1: 3 }), 'dc1:3,dc2:2')
  assert.match(createKeyspace('ks', { dc1: 3, dc2: 2 }), "'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 2}")
})

test('nothing that decides has a time to live', () => {
  for (const table of TABLE_NAMES)
    assert.is(/default_time_to_live/.test(createTable('ks', table, '5.0.9')), table === 'write_log')
})

test('the unified compaction is asked for only where it is known', () => {
  assert.match(chunkOptions('5.0.9'), 'UnifiedCompactionStrategy')
  assert.not.match(chunkOptions('4.1.3'), 'UnifiedCompactionStrategy')
})

test.run()
