package wechat

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/payment"
)

// selfParts is what a mixed order's word says of the cash. A failed one is for
// its own query: it may have been paid all the same.
var selfParts = map[string]payment.TradeState{
	"SELF_PAY_CREATED": payment.TradeOpen, "SELF_PAY_SUCCESS": payment.TradePaid, "SELF_PAY_REFUND": payment.TradeRefunded,
}

// mixState reads the three words of a mixed order together. What is not listed,
// or what does not fit together, is unclear: the centre decides.
func mixState(mix, self, ins string) (payment.MixedState, payment.TradeState) {
	cash := selfParts[self]
	mix, self, ins = after("MIX_PAY_", mix), after("SELF_PAY_", self), after("MED_INS_PAY_", ins)
	cashWaits, insWaits := self == "CREATED" || self == "NO_SELF_PAY", ins == "CREATED" || ins == "NO_MED_INS_PAY"
	cashDone, insDone := self == "SUCCESS" || self == "NO_SELF_PAY", ins == "SUCCESS" || ins == "NO_MED_INS_PAY"
	state := payment.MixedUnclear
	switch mix {
	case "CREATED":
		switch {
		case cashWaits && insWaits:
			state = payment.MixedOpen
		case (cashDone || cashWaits) && (insDone || insWaits):
			state = payment.MixedPaying
		}
	case "USER_PAYING":
		state = payment.MixedPaying
	case "SUCCESS":
		if cashDone && insDone {
			state = payment.MixedPaid
		}
	case "FAIL", "REVERSED":
		if ins == "FAIL" || ins == "NO_MED_INS_PAY" || ins == "REFUND" && mix == "REVERSED" {
			state = payment.MixedFailed
		}
	case "REFUND":
		if (self == "REFUND" || self == "NO_SELF_PAY") && (ins == "REFUND" || ins == "NO_MED_INS_PAY") {
			state = payment.MixedRefunded
		}
	}
	return state, cash
}

// after is a word without its prefix; one that has another beginning is none of
// the listed words, but for those that say that there is no such part.
func after(prefix, word string) string {
	if rest, ok := strings.CutPrefix(word, prefix); ok {
		return rest
	}
	if strings.HasPrefix(word, "NO_") {
		return word
	}
	return ""
}

// digest is WeChat's form of an ID number: 15 places are widened to 18, letters
// are upper case, then MD5 in lower-case hex.
func digest(idNo string) string {
	sum := md5.Sum([]byte(widened(strings.ToUpper(strings.TrimSpace(idNo)))))
	return hex.EncodeToString(sum[:])
}

// widened makes an ID number of 18 places out of one of 15 (GB 11643).
func widened(id string) string {
	if len(id) != 15 || !digitsOnly.MatchString(id) {
		return id
	}
	id = id[:6] + "19" + id[6:]
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(id[i]-'0') * weight
	}
	return id + string("10X98765432"[sum%11])
}

// sealPersons writes who pays and, where that is another, who is treated.
func (c *Client) sealPersons(ctx context.Context, m payment.Mixed, req *mixedRequest) (err error) {
	if req.Payer, err = c.sealPerson(ctx, m.Holder); err != nil || m.Patient == nil {
		return err
	}
	patient, err := c.sealPerson(ctx, *m.Patient)
	req.ForRelative, req.Relative = true, &patient
	return err
}

func (c *Client) sealPerson(ctx context.Context, p payment.Person) (mixedPerson, error) {
	card := c.ins.cardTypes[p.IDType]
	if card == "" || p.Name == "" || p.IDNo == "" {
		return mixedPerson{}, errors.New("缺少姓名、证件号，或证件类型没有对应的微信类型")
	}
	name, err := c.seal(ctx, p.Name)
	if err != nil {
		return mixedPerson{}, errors.New("姓名无法加密，请检查微信支付公钥或平台证书")
	}
	id, err := c.seal(ctx, digest(p.IDNo))
	if err != nil {
		return mixedPerson{}, errors.New("证件号无法加密，请检查微信支付公钥或平台证书")
	}
	return mixedPerson{name, id, card}, nil
}

// TellRefund tells WeChat that the insurance's part went back. The last notice
// wins, so it may be repeated.
func (c *Client) TellRefund(ctx context.Context, m payment.MixedRefund) (a flow.Answer) {
	defer channels.RecoverTo(&a, channels.ToldOf)
	total := m.Fund + m.Account + m.Other
	if m.MixNo == "" || m.No == "" || total <= 0 {
		return channels.ToldOf(channels.BadTrade(flow.ActorIT, "医保退款通知缺少订单号、退款单号或医保金额"))
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	path := "/v3/med-ins/refunds/notify?" + url.Values{"mix_trade_no": {m.MixNo}}.Encode()
	if err := c.tell(ctx, path, c.refundNotice(m, total)); err != nil {
		return channels.ToldOf(finer(err, mixedCodes, private(m.Mixed)...))
	}
	return flow.Answer{Verdict: flow.Done, Report: flow.ReportDone}
}

// refundNotice is its body. Two spellings of the parts are published.
func (c *Client) refundNotice(m payment.MixedRefund, total money.Fen) map[string]any {
	prefix := "med_refund_" + c.ins.refundScore
	return map[string]any{"med_refund_total_fee": total, prefix + "gov_fee": m.Fund, prefix + "self_fee": m.Account, prefix +
		"other_fee": m.Other,
		"refund_time": m.At.In(calendar.Beijing).Format(time.RFC3339), "out_refund_no": m.No}
}
