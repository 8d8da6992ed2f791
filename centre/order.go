package centre

import (
	"context"
	"encoding/json"

	"hospay/flow"
	"hospay/money"
)

// Ref names an order at the centre and who it is of. Known holds the amounts
// that 6202 told, once it has.
type Ref struct {
	PayOrdID  string
	PayToken  string
	MedOrgOrd string
	Person
	Known *Split
}

func (r Ref) wrong() string {
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
func (r Ref) same(org string) map[string]any {
	return map[string]any{"payOrdId": r.PayOrdID, "orgCodg": org, "payToken": r.PayToken, "idNo": r.IDNo, "userName": r.Name,
		"idType": r.IDType}
}

func (r Ref) private() []string { return []string{r.Name, r.IDNo, r.PayToken} }

// Price is the question of 6202. Serial is new for each call, also after an
// unknown outcome, when 6301 is asked instead.
type Price struct {
	Ref
	Serial    string // orgBizSer
	Batch     string // chrgBchno of the upload
	PayAuthNo string
	FeeType   string
	MdtrtID   string
	Account   string    // acctUsedFlag: "", 0 or 1
	Total     money.Fen // what was uploaded
}

// Priced is the answer to 6202: who pays what. Nothing has moved yet.
type Priced struct {
	Answer
	State State
	Split
	Info json.RawMessage // extData, with the pre-settlement of the insurance, for HIS
}

// Price fixes the split of an order (6202).
func (c *Client) Price(ctx context.Context, p Price) Priced {
	words := p.wrong()
	switch {
	case words != "":
	case !serialNo.MatchString(p.Serial):
		words = "机构业务流水号只能是 40 位以内的字母和数字"
	case p.Total <= 0:
		words = "缺少上传的总额"
	}
	if words != "" {
		return Priced{Answer: badCall(words), State: NoState}
	}
	d, a := c.call(ctx, c.region.Paths.Order, map[string]any{"payAuthNo": p.PayAuthNo, "payOrdId": p.PayOrdID, "payToken": p.PayToken,
		"orgCodg": c.org, "orgBizSer": p.Serial, "chrgBchno": p.Batch, "feeType": p.FeeType, "mdtrtId": p.MdtrtID,
		"acctUsedFlag": p.Account}, append(p.private(), p.PayAuthNo)...)
	out := Priced{Answer: a, State: NoState}
	if a.Verdict == flow.Done {
		out.State, out.Split, out.Answer = c.judge(d, p.Ref)
		out.Info = d.raw("extData")
	}
	if out.Verdict != flow.Done {
		return out
	}
	switch {
	case out.State != Quoted && out.State != Settling:
		out.Answer = doubt(CodeUnclear, "下单后的状态是 "+out.State.String(), flow.ActorNone)
	case out.Total == 0:
		out.Answer = doubt(CodeAmounts, "应答没有金额", flow.ActorFinance)
	case out.Total != p.Total:
		out.Answer = doubt(CodeAmounts, "医保中心的总额与上传的不同", flow.ActorFinance)
	}
	return out
}

// Order is what 6301 tells of an order. A state that is reached may come with
// nothing but itself; candidates and what is settled come with their amounts.
type Order struct {
	Answer
	State State
	Split
	Told bool // amounts were told
	Settlement
}

// Settlement are the numbers of a settlement at the insurance. RevsToken is a
// secret; no public text says how it is used.
type Settlement struct {
	SetlType  string // ALL, CASH, HI
	CallType  string // 02 支付成功
	TraceTime string
	Time      string // hiChrgTime 医保结算时间
	DocSn     string // hiDocSn
	RgstSn    string // hiRgstSn
	RevsToken string
	Info      json.RawMessage // extData with setlinfo, for HIS
}

func settlement(d record) Settlement {
	return Settlement{SetlType: d.text("setlType"), CallType: d.text("callType"), TraceTime: d.text("traceTime"), Time: d.text("hiChrgTime"),
		DocSn: d.text("hiDocSn"), RgstSn: d.text("hiRgstSn"), RevsToken: d.text("revsToken"), Info: d.raw("extData")}
}

// Query asks for an order (6301). It refuses nothing: that a question was
// refused says nothing about the order.
func (c *Client) Query(ctx context.Context, r Ref) Order {
	if words := r.wrong(); words != "" {
		a := badCall(words)
		a.Verdict = flow.Unknown
		return Order{Answer: a, State: NoState}
	}
	d, a := c.call(ctx, c.region.Paths.Query, r.same(c.org), r.private()...)
	out := Order{Answer: a, State: NoState}
	if a.Verdict != flow.Done {
		out.Verdict, out.Reason.Hold = flow.Unknown, false
		return out
	}
	if out.State, out.Split, out.Answer = c.judge(d, r); out.Verdict == flow.Done {
		out.Told, out.Settlement = out.Total > 0, settlement(d)
	}
	return out
}

// judge compares what an answer tells with the order that was asked for: its
// numbers, its state, its amounts.
func (c *Client) judge(d record, r Ref) (State, Split, Answer) {
	state := readState(d.text("ordStas"))
	if d.text("payOrdId") != r.PayOrdID || !d.of(r.PayOrdID, r.MedOrgOrd) {
		return NoState, Split{}, doubt(CodeMismatch, "应答属于另一笔订单", flow.ActorIT)
	}
	split, told, err := readSplit(d, c.region)
	group := state.Group()
	told = told && split.Total > 0 // zeros tell nothing
	switch {
	case err != nil:
		return state, Split{}, doubt(CodeAmounts, err.Error(), flow.ActorFinance)
	case told && r.Known != nil && !split.agrees(*r.Known):
		return state, Split{}, doubt(CodeAmounts, "金额与预结算时不同", flow.ActorFinance)
	case group == Unclear:
		return state, split, doubt(CodeUnclear, "医保中心的订单状态 "+state.String()+" 不能说明结果", flow.ActorNone)
	case group != Candidate && group != Settled:
		return state, split, done
	case !told:
		return state, Split{}, doubt(CodeAmounts, "订单状态 "+state.String()+" 没有金额", flow.ActorNone)
	case d.text("medOrgOrd") == "":
		return state, Split{}, doubt(CodeMismatch, "应答没有医疗机构订单号", flow.ActorIT)
	}
	return state, split, done
}

// Undo revokes an order that nobody has paid (6401). It is sent after a fresh
// 6301 only; what it did is proven by the next one.
func (c *Client) Undo(ctx context.Context, r Ref) Answer {
	if words := r.wrong(); words != "" {
		return badCall(words)
	}
	d, a := c.call(ctx, c.region.Paths.Undo, r.same(c.org), r.private()...)
	if a.Verdict == flow.Done && !d.of(r.PayOrdID, r.MedOrgOrd) {
		return doubt(CodeMismatch, "应答属于另一笔订单", flow.ActorIT)
	}
	return a
}
