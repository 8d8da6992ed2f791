// The sentences in two parts. What patients never read (the desk's words, notices,
// forms) is no part of the first load: `…json?first` is the one, `…json?rest` the other.
import { readFileSync } from 'node:fs'

const REST = new RegExp(`^(?:${[
  '(?:desk|evidence|event|notice|report|route|method|channel)\\..*',
  'payment\\.(?:event|why|where|safe|stas|call|open|action|insurance|verb|outcome|cash|his|receipt)\\..*',
  'error\\.(?:config_|month_|statement_|recon_|verb_|export_|password_|his_refund_|copy_un|same_|proposal_|proposer_|self_c).*',
  'error\\.(?:refund_(?:takes_two|proposed|changed|id_taken)|no_refund_proposed|no_proposal|no_write|nothing_paid|at_rest|replayed|sign_invalid)',
  'error\\.(?:reveal_limit|look_needed|payment_lost|parts_lost|review_singly|second_person|rematch_unfit|difference_done|test_by_another)',
  'error\\.(?:own_roles|job_running|last_config|notice_fixed|settings_weaker|action_unsafe|evidence_required|person_unknown|roles_clash)',
  'error\\.(?:totp_invalid|too_many_rows|stamp_invalid|connection_in_use)',
].join('|')})$`)

/** @returns {import('vite').Plugin} */
export const texts = () => ({
  name: 'texts',
  enforce: 'pre',
  async resolveId(source, importer) {
    const [, file, part] = /^(.*\.json)\?(first|rest)$/.exec(source) ?? []
    const found = file && await this.resolve(file, importer)
    return found ? `\0texts/${part}${found.id}.js` : null
  },
  load(id) {
    const [, part, file] = /^\0texts\/(first|rest)(.*)\.js$/.exec(id) ?? []
    if (!file) return null
    this.addWatchFile(file)
    const all = Object.entries(JSON.parse(readFileSync(file, 'utf8')))
    const mine = all.filter(([key]) => REST.test(key) === (part === 'rest'))
    return `export default ${JSON.stringify(Object.fromEntries(mine))}`
  },
})
