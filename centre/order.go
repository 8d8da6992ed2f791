package centre

import (
	"context"

	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/payment"
)

// wrongRef finds what must not be sent about an order.
func wrongRef(r payment.Ref) string {
	switch {
	case r.PayOrdID == "" || r.PayToken == "":
		return "缺少支付订单号或支付令牌"
	case !orderNo.MatchString(r.MedOrgOrd):
		return "医疗机构订单号只能是 20 位以内的字母和数字"
	case r.IDNo == "" || r.Name == "" || r.IDType == "":
		return "缺少姓名、证件号或证件类型"
	}
	return ""
}

// same is what 6301 and 6401 send.
func (c *Client) same(r payment.Ref) map[string]any {
	return map[string]any{"payOrdId": r.PayOrdID, "orgCodg": c.org, "payToken": r.PayToken, "idNo": r.IDNo, "userName": r.Name,
		"idType": r.IDType}
}

// private is what must not come back in messages.
func private(r payment.Ref) []string { return []string{r.Name, r.IDNo, r.PayToken} }

// Price fixes the split of an order (6202).
func (c *Client) Price(ctx context.Context, p payment.Price) payment.Priced {
	words := wrongRef(p.Ref)
	switch {
	case words != "":
	case !serialNo.MatchString(p.Serial):
		words = "机构业务流水号只能是 40 位以内的字母和数字"
	case p.Total <= 0:
		words = "缺少上传的总额"
	}
	if words != "" {
		return payment.Priced{Result: badCall(words), Stas: payment.NoStas}
	}
	d, a := c.call(ctx, c.region.Paths.Order, map[string]any{"payAuthNo": p.PayAuthNo, "payOrdId": p.PayOrdID, "payToken": p.PayToken,
		"orgCodg": c.org, "orgBizSer": p.Serial, "chrgBchno": p.Batch, "feeType": p.FeeType, "mdtrtId": p.MdtrtID,
		"acctUsedFlag": c.region.AccountFlags[p.Area]}, append(private(p.Ref), p.PayAuthNo)...)
	out := payment.Priced{Result: a, Stas: payment.NoStas}
	if a.Verdict == flow.Done {
		out.Stas, out.Split, out.Result = c.judge(d, p.Ref)
		out.Info = d.raw("extData")
	}
	if out.Verdict != flow.Done {
		return out
	}
	switch {
	case out.Stas != payment.StasQuoted && out.Stas != payment.StasSettling:
		out.Result = doubt(CodeUnclear, "下单后的状态是 "+out.Stas.String(), flow.ActorNone)
	case out.Total == 0:
		out.Result = doubt(CodeAmounts, "应答没有金额", flow.ActorFinance)
	case out.Total != p.Total:
		out.Result = doubt(CodeAmounts, "医保中心的总额与上传的不同", flow.ActorFinance)
	}
	return out
}

func settlement(d record) payment.Settlement {
	return payment.Settlement{SetlType: d.text("setlType"), CallType: d.text("callType"), TraceTime: d.text("traceTime"),
		Time:  d.text("hiChrgTime"),
		DocSn: d.text("hiDocSn"), RgstSn: d.text("hiRgstSn"), RevsToken: d.text("revsToken"), Info: d.raw("extData"),
		SetlID: setlID(d)}
}

// setlID is the insurance's number of the settlement: setlinfo is an object, or a
// list with one.
func setlID(d record) string {
	info := d.within("extData")
	if list, ok := info["setlinfo"].([]any); ok && len(list) == 1 {
		one, _ := list[0].(map[string]any)
		return record(one).text("setl_id")
	}
	return info.within("setlinfo").text("setl_id")
}

// Query asks for an order (6301). It refuses nothing: that a question was
// refused says nothing about the order.
func (c *Client) Query(ctx context.Context, r payment.Ref) payment.AtCentre {
	if words := wrongRef(r); words != "" {
		a := badCall(words)
		a.Verdict = flow.Unknown
		return payment.AtCentre{Result: a, Stas: payment.NoStas}
	}
	d, a := c.call(ctx, c.region.Paths.Query, c.same(r), private(r)...)
	out := payment.AtCentre{Result: a, Stas: payment.NoStas}
	if a.Verdict != flow.Done {
		out.Verdict, out.Reason.Hold = flow.Unknown, false
		return out
	}
	if out.Stas, out.Split, out.Result = c.judge(d, r); out.Verdict == flow.Done {
		out.Told, out.Settlement = out.Total > 0, settlement(d)
	}
	return out
}

// Probe is what an envelope told of a question about an order that cannot exist.
type Probe struct {
	Words  string // in Chinese: what came back, or why nothing did
	Signed bool   // by the centre, and readable with our keys
}

// Probe asks for an order that cannot exist (6301). A signed answer, be it that
// there is none, proves that the address is right, that our signature was
// accepted, and that both sides derive the same keys. Nothing moves.
func (c *Client) Probe(ctx context.Context) Probe {
	r := payment.Ref{PayOrdID: "PROBE", PayToken: "PROBE", MedOrgOrd: "PROBE", Person: payment.Person{Name: "联调", IDType: "01", IDNo: "0"}}
	body, err := c.seal(sealed{}, c.same(r))
	if err != nil {
		return Probe{Words: "请求无法签名或加密：" + err.Error()}
	}
	answer, err := c.post(ctx, c.region.Paths.Query, body)
	if err != nil {
		return Probe{Words: "没有得到应答：" + kindOf(err)}
	}
	o, err := c.open(answer, c.region.answerAge())
	switch {
	case err != nil:
		return Probe{Words: err.Error()}
	case !o.Signed:
		return Probe{Words: "应答没有签名（代码 " + foreign.Scrub(o.Code) + " " + foreign.Scrub(o.Message) + "），通常是对方没有接受我方的签名：核对应用密钥、私钥和 SM2 用户标识"}
	}
	return Probe{Signed: true, Words: "应答的签名有效，代码 " + foreign.Scrub(o.Code) + " " + foreign.Scrub(o.Message)}
}

// judge compares what an answer tells with the order that was asked for: its
// numbers, its state, its amounts.
func (c *Client) judge(d record, r payment.Ref) (payment.Stas, payment.Split, payment.Result) {
	state := payment.ReadStas(d.text("ordStas"))
	if d.text("payOrdId") != r.PayOrdID || !d.of(r.PayOrdID, r.MedOrgOrd) {
		return payment.NoStas, payment.Split{}, doubt(CodeMismatch, "应答属于另一笔订单", flow.ActorIT)
	}
	split, told, err := readSplit(d, c.region)
	group := state.Group()
	told = told && split.Total > 0 // zeros tell nothing
	switch {
	case err != nil:
		return state, payment.Split{}, doubt(CodeAmounts, err.Error(), flow.ActorFinance)
	case told && r.Known != nil && !split.Agrees(*r.Known):
		return state, payment.Split{}, doubt(CodeAmounts, "金额与预结算时不同", flow.ActorFinance)
	case group == payment.Unclear:
		return state, split, doubt(CodeUnclear, "医保中心的订单状态 "+state.String()+" 不能说明结果", flow.ActorNone)
	case group != payment.Candidate && group != payment.Settled:
		return state, split, done
	case !told:
		return state, payment.Split{}, doubt(CodeAmounts, "订单状态 "+state.String()+" 没有金额", flow.ActorNone)
	case d.text("medOrgOrd") == "":
		return state, payment.Split{}, doubt(CodeMismatch, "应答没有医疗机构订单号", flow.ActorIT)
	}
	return state, split, done
}

// Undo revokes an order that nobody has paid (6401). It is sent after a fresh
// 6301 only; what it did is proven by the next one.
func (c *Client) Undo(ctx context.Context, r payment.Ref) payment.Result {
	if words := wrongRef(r); words != "" {
		return badCall(words)
	}
	d, a := c.call(ctx, c.region.Paths.Undo, c.same(r), private(r)...)
	if a.Verdict == flow.Done && !d.of(r.PayOrdID, r.MedOrgOrd) {
		return doubt(CodeMismatch, "应答属于另一笔订单", flow.ActorIT)
	}
	return a
}
