// Loads the files of a day into DuckDB and joins them by number: a part of what
// `hospay reconcile` tells. node duckdb.mjs FOLDER-OF-FILES TEMPORARY-FOLDER;
// NODE_PATH-like: DUCKDB names the folder that @duckdb/node-api is installed in.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

const { DuckDBInstance } = createRequire(process.env.DUCKDB + '/x.js')('@duckdb/node-api')
const [dir, tmp] = process.argv.slice(2)
const begin = performance.now()

// DuckDB reads neither ZIP nor GB 18030 by itself.
const unpack = (zip, out) =>
  execFileSync('sh', ['-c', 'unzip -p "$0" "*[^)].csv" | iconv -f GB18030 -t UTF-8 > "$1"', zip, out])
unpack(`${dir}/alipay_ledger.csv.zip`, `${tmp}/ledger.csv`)
unpack(`${dir}/alipay_trade.csv.zip`, `${tmp}/trade.csv`)
const unpacked = performance.now()

const db = await (await DuckDBInstance.create(':memory:')).connect()
const columns = n => `columns={${[...Array(n).keys()].map(i => `c${i}:'varchar'`)}}, auto_detect=false, header=false, quote='', ignore_errors=true`
const text = c => `trim(replace(${c}, '\`', ''), ' ' || chr(9))`
const fen = c => `abs(cast(cast(${text(c)} as decimal(14,2)) * 100 as bigint))`
const book = (name, file, status) => `create table ${name} as select c1 bill, c3 card, ${fen('c4')} fen, c7 = '${status}' ok, cast(c8 as timestamp) ts
  from read_csv('${dir}/${file}', skip=1, ${columns(9)})`
const flow = file => `select ${text('c10')}, ${fen('c6')} from read_csv('${dir}/${file}', skip=1, delim=',\`', ${columns(11)}) where ${text('c5')} = '支出'`
for (const sql of [
  book('platform', 'platform.csv', '成功'), book('his', 'his.csv', 'succeeded'), 'create table channel (bill varchar, fen bigint)',
  `insert into channel ${flow('fundflow_operation.csv')}`, `insert into channel ${flow('fundflow_basic.csv.gz')}`,
  `create table trade as select ${text('c15')} bill, ${fen('c16')} fen from read_csv('${dir}/trade.csv', skip=1, delim=',\`', ${columns(27)})`,
  `create table ledger as select ${text('c2')} bill, ${text('c1')} num, ${fen('c7')} fen, c10 kind from read_csv('${tmp}/ledger.csv', skip=5, ${columns(12)})`,
  `create table refund as select ${text('c21')} bill, ${text('c0')} num, ${fen('c11')} fen from read_csv('${tmp}/trade.csv', skip=5, ${columns(25)})`,
  `insert into channel select bill, fen from ledger where kind = '转账'`, 'insert into channel select bill, fen from refund',
]) await db.run(sql)
const found = await db.runAndReadAll(`select p.bill, c.bill, h.bill from platform p full outer join channel c on c.bill = p.bill
  full outer join his h on h.bill = coalesce(p.bill, c.bill) where p.bill is null or c.bill is null or h.bill is null
  or p.fen <> c.fen or p.fen <> h.fen or p.ok <> h.ok or p.card <> h.card or date_diff('day', p.ts, h.ts) <> 0`)
const end = performance.now()
console.log(JSON.stringify({ unpack: unpacked - begin, all: end - begin, found: found.currentRowCount }))
