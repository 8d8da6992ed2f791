// Sending a file with its progress. fetch cannot tell it, so this is an
// XMLHttpRequest.
import { coded, Failure, guarded, pb } from './api'
import { t } from './i18n'

/** upload posts a form and tells the share that has been sent. A timeout of zero waits for as long as it takes. */
export function upload<T>(path: string, form: FormData, progress: (share: number) => void, timeout = 0): Promise<T> {
  return guarded(() => new Promise<T>((done, fail) => {
    const x = new XMLHttpRequest()
    x.open('POST', path)
    x.setRequestHeader('Authorization', pb.authStore.token)
    x.timeout = timeout
    x.upload.onprogress = (e) => { if (e.lengthComputable) progress(e.loaded / e.total) }
    x.onload = () => (x.status < 300 ? done(answer<T>(x)) : fail(refusal(x)))
    x.onerror = x.ontimeout = () => fail(new Failure('network', t('page.error.network')))
    x.send(form)
  }))
}

function answer<T>(x: XMLHttpRequest): T {
  try {
    return JSON.parse(x.responseText) as T
  } catch {
    return {} as T // it has been taken; a proxy in between has spoilt the words
  }
}

function refusal(x: XMLHttpRequest): Failure {
  const { message, data } = answer<{ message?: string; data?: { code?: string; detail?: string } }>(x)
  return coded(data?.code ?? '', x.status, data?.detail ?? '', message)
}
