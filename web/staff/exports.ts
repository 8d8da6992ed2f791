// Reports: small ones come at once, large ones are jobs with progress.
import type { OpenedView } from '@shared/answers'
import { call, coded, failure, guarded, pb } from '@shared/api'

/** exportReport downloads a report, or starts a job when it is too large for one answer. */
export async function exportReport(report: string, params: Record<string, string>, later: (id: string) => void): Promise<void> {
  const path = report === 'audit' ? '/api/hospay/audit.xlsx' : `/api/hospay/reports/${report}.xlsx`
  try {
    await download(`${path}?${new URLSearchParams(params)}`, `${report}.xlsx`)
  } catch (err) {
    if (failure(err).code !== 'too_many_rows') throw err
    later((await call<OpenedView>('POST', '/api/hospay/exports', { report, params })).id)
  }
}

/** exportVouchers downloads what moved in a period for the hospital's finance software. */
export const exportVouchers = (of: 'refunds' | 'payments', from: string, to: string) =>
  download(`/api/hospay/vouchers?${new URLSearchParams({ of, from, to })}`, '记账凭证.txt')

/** download fetches a file of ours under the session. */
export async function download(path: string, name: string): Promise<void> {
  const res = await guarded(async () => {
    const answer = await fetch(path, { headers: { Authorization: pb.authStore.token } })
    if (answer.ok) return answer
    const body = (await answer.json().catch(() => ({}))) as { message?: string; data?: { code?: string; detail?: string } }
    throw coded(body.data?.code ?? '', answer.status, body.data?.detail ?? '', body.message)
  })
  save(await res.blob(), nameOf(res, name))
}

function nameOf(res: Response, other: string): string {
  const m = /filename\*=UTF-8''([^;]+)/.exec(res.headers.get('Content-Disposition') ?? '')
  return m?.[1] ? decodeURIComponent(m[1]) : other
}

function save(blob: Blob, name: string): void {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000)
}
