// What the pages of a proxy share.

/** proxyTone colours the state of an application; the words say the same. */
export function proxyTone(status: string): '' | 'good' | 'warn' | 'bad' | 'plain' {
  switch (status) {
    case 'approved': return 'good'
    case 'draft': return 'warn'
    case 'rejected': return 'bad'
    case 'closed': return 'plain'
  }
  return ''
}
