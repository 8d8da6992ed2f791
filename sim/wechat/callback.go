package wechat

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"hospay/sim"
)

// resendGaps is the documented schedule: 15 tries in about 24 hours.
var resendGaps = []time.Duration{15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour}

// notice is a callback before it is encrypted.
type notice struct {
	no, alias, url, event, summary, kind string
	op                                   string // for plans that mean one of several callbacks about a number
	gaps                                 []time.Duration
	fault                                sim.Fault
	content                              any
}

// send hands a notice to the courier. The envelope keeps its id on resends.
func (m *merchant) send(n notice) {
	if n.url == "" {
		return
	}
	id, created := newID(), m.Clock().Now().Format(rfc3339)
	if n.gaps == nil {
		n.gaps = resendGaps
	}
	m.Courier().Send(sim.Message{No: n.no, Op: n.op, URL: n.url, Fault: n.fault, Gaps: n.gaps, Scale: m.settings.Get().CallbackScale,
		Accepted: func(status int, _ string) bool { return status == 200 || status == 204 },
		Make: func(lie sim.Fault, how sim.Seal) (http.Header, []byte) {
			nonce, plain := sim.Token(6), sim.JSON(m.liar(n.alias).Tell(lie, n.content))
			body := sim.JSON(map[string]any{"id": id, "create_time": created, "resource_type": "encrypt-resource", "event_type": n.event,
				"summary": n.summary,
				"resource": map[string]string{"original_type": n.kind, "algorithm": "AEAD_AES_256_GCM", "associated_data": n.kind, "nonce": nonce,
					"ciphertext": m.seal(plain, nonce, n.kind)}})
			h := http.Header{"Content-Type": {"application/json"}, "Accept": {"*/*"}}
			m.sealHeaders(h, m.callbackSerial(), body, how)
			return h, body
		}})
}

// seal encrypts with the APIv3 key: ciphertext followed by the tag, in base64.
func (m *merchant) seal(plain []byte, nonce, associated string) string {
	return base64.StdEncoding.EncodeToString(m.aead.Seal(nil, []byte(nonce), plain, []byte(associated)))
}

// callbackSerial chooses the signing key by the setting; "alternate" plays a merchant that migrates.
func (m *merchant) callbackSerial() string {
	set := m.settings.Get()
	cert := set.CallbackKey == "certificate" || set.CallbackKey == "alternate" && atomic.AddUint64(&m.flip, 1)%2 == 0
	if cert && set.PlatformCertificate {
		return serialOf(m.platCert)
	}
	return m.publicKeyID
}

// newID is a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	hex := sim.Token(0)
	for _, x := range b {
		hex += string("0123456789abcdef"[x>>4]) + string("0123456789abcdef"[x&15])
	}
	return strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
}

func (m *merchant) notifyTransfer(b *bill) {
	c := map[string]any{"out_bill_no": b.no, "transfer_bill_no": b.id, "state": b.state, m.settings.Get().CallbackMchField: m.id,
		"transfer_amount": b.amount, "openid": b.openid, "create_time": b.created.Format(rfc3339), "update_time": b.updated.Format(rfc3339)}
	if b.reason != "" {
		c["fail_reason"] = b.reason
	}
	m.send(notice{no: b.no, alias: "transfer", url: b.notifyURL, event: "MCHTRANSFER.BILL.FINISHED", summary: "商家转账单据终态通知",
		kind: "mch_payment", fault: b.fault, content: c})
}

func (m *merchant) notifyRefund(r *refund) {
	c := map[string]any{"mchid": m.id, "transaction_id": r.trade.id, "out_trade_no": r.trade.no, "refund_id": r.id, "out_refund_no": r.no,
		"refund_status": r.status, "user_received_account": "支付用户零钱",
		"amount": map[string]int64{"total": r.trade.total, "refund": r.amount, "payer_total": r.trade.total, "payer_refund": r.amount}}
	if r.status == success {
		c["success_time"] = r.done.Format(rfc3339)
	}
	summary := map[string]string{success: "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}[r.status]
	m.send(notice{no: r.no, alias: "refund", url: r.notifyURL, event: "REFUND." + r.status, summary: summary, kind: "refund", fault: r.fault,
		content: c})
}

func (m *merchant) notifyPaid(t *trade) {
	m.send(notice{no: t.no, op: "callback_trade", alias: "order", url: t.notifyURL, event: "TRANSACTION.SUCCESS", summary: "支付成功",
		kind:    "transaction",
		content: t.view(m.Clock().Now())})
}
