// Reads the cells of a workbook: enough of ZIP and SpreadsheetML for the tests,
// independent of the library that writes it.
import { inflateRawSync } from 'node:zlib'

/** unzip reads the files of an archive. */
export function unzip(data: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const end = data.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  let at = data.readUInt32LE(end + 16)
  for (let n = data.readUInt16LE(end + 10); n > 0; n--) {
    const [method, size] = [data.readUInt16LE(at + 10), data.readUInt32LE(at + 20)]
    const [nameLength, extra, comment, head] = [data.readUInt16LE(at + 28), data.readUInt16LE(at + 30), data.readUInt16LE(at + 32), data.readUInt32LE(at + 42)]
    const name = data.toString('utf8', at + 46, at + 46 + nameLength)
    const start = head + 30 + data.readUInt16LE(head + 26) + data.readUInt16LE(head + 28)
    const body = data.subarray(start, start + size)
    files.set(name, method === 8 ? inflateRawSync(body) : body)
    at += 46 + nameLength + extra + comment
  }
  return files
}

const plain = (s: string) => s.replace(/<[^>]+>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;|&apos;/g, "'")
  .replace(/&#xA;/g, '\n').replace(/&amp;/g, '&')

/** sheets reads every sheet as a map of cell names to their texts. */
export function sheets(data: Buffer): Map<string, string>[] {
  const files = new Map([...unzip(data)].map(([name, body]) => [name, body.toString('utf8')]))
  const shared = [...(files.get('xl/sharedStrings.xml') ?? '').matchAll(/<si>(.*?)<\/si>/gs)].map((m) => plain(m[1] ?? ''))
  return [...files.keys()].filter((n) => /^xl\/worksheets\/sheet\d+\.xml$/.test(n)).sort().map((name) => {
    const cells = new Map<string, string>()
    for (const m of (files.get(name) ?? '').matchAll(/<c r="([A-Z]+\d+)"([^>]*?)(?:\/>|>(.*?)<\/c>)/gs)) {
      const value = /<v>(.*?)<\/v>/s.exec(m[3] ?? '')?.[1] ?? ''
      cells.set(m[1]!, /t="s"/.test(m[2] ?? '') ? (shared[Number(value)] ?? '') : /t="inlineStr"/.test(m[2] ?? '') ? plain(m[3] ?? '') : plain(value))
    }
    return cells
  })
}
