package centre

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"

	"hospay/sim"
)

// needed are the fields without which no bill is taken.
var needed = []string{"orgCodg", "medOrgOrd", "chrgBchno", "idNo", "userName", "insutype", "medType", "medfeeSumamt"}

// wanted are those of the full list.
var wanted = []string{"psnNo", "begntime", "idType", "insuCode", "iptOtpNo", "deptName", "deptCode", "caty", "feeType", "psnSetlway",
	"pubHospRfomFlag"}

// lacks refuses a request that lacks a field.
func lacks(m thing, names ...string) *refusal {
	for _, n := range names {
		if str(m, n) == "" {
			return noField.with("缺少" + n)
		}
	}
	return nil
}

var goodNumber = regexp.MustCompile(`^[0-9A-Za-z]{1,20}$`)

// upload is 6201. Nothing is charged.
func (s *Server) upload(m thing, _ sim.Fault) (thing, *refusal) {
	set, fields := s.settings.Get(), needed
	if set.StrictFields {
		fields = append(fields[:len(fields):len(fields)], wanted...)
	}
	if r := lacks(m, fields...); r != nil {
		return nil, r
	}
	total, r := s.bill(m, set)
	if r != nil {
		return nil, r
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	no := str(m, "medOrgOrd")
	switch {
	case str(m, "orgCodg") != OrgCode || !goodNumber.MatchString(no):
		return nil, noField.with("orgCodg或medOrgOrd")
	case b.ours[no] != nil:
		return nil, &repeated
	case str(m, "ecToken") == "" && str(m, "mdtrtId") == "" && set.StrictFields:
		return nil, noField.with("缺少mdtrtId")
	}
	if r := b.licensed(m, str(m, "idNo")); r != nil {
		return nil, r
	}
	o := &order{payOrdID: b.next("ORD"), token: sim.Token(40), medOrgOrd: no, batch: str(m, "chrgBchno"), idNo: str(m, "idNo"),
		name: str(m, "userName"), idType: str(m, "idType"), psnNo: str(m, "psnNo"), insutype: str(m, "insutype"), medType: str(m, "medType"),
		mdtrtID: str(m, "mdtrtId"), total: total, optins: cmp.Or(str(m, "insuCode"), Area), refunds: map[string]refunded{}}
	if o.mdtrtID == "" {
		o.mdtrtID = b.next("M")
	}
	b.orders[o.payOrdID], b.ours[no] = o, o
	return thing{"payOrdId": o.payOrdID, "payToken": o.token, "extData": thing{"mdtrtId": o.mdtrtID}}, nil
}

// bill checks amounts: lines by count and price, their sum, the four parts.
func (s *Server) bill(m thing, set *Settings) (int64, *refusal) {
	total, ok := sim.Fen(str(m, "medfeeSumamt"))
	lines, _ := m["feedetailList"].([]any)
	if !ok || total <= 0 || len(lines) == 0 {
		return 0, noField.with("medfeeSumamt或feedetailList")
	}
	sum := int64(0)
	for _, x := range lines {
		line, _ := x.(thing)
		fen, ok := sim.Fen(str(line, "detItemFeeSumamt"))
		if !ok || str(line, "feedetlSn") == "" {
			return 0, noField.with("feedetailList")
		}
		if t := str(line, "medType"); t != "" && t != str(m, "medType") || !near(line, fen, set.Tolerance) {
			return 0, unequal.with("明细与整单不符")
		}
		sum += fen
	}
	if sum != total || !partsFit(m, total) {
		return 0, &unequal
	}
	return total, nil
}

// near compares count × price with the sum of a line.
func near(line thing, fen, tolerance int64) bool {
	cnt, err1 := strconv.ParseFloat(str(line, "cnt"), 64)
	pric, err2 := strconv.ParseFloat(str(line, "pric"), 64)
	if err1 != nil || err2 != nil {
		return str(line, "cnt") == "" || str(line, "pric") == ""
	}
	return math.Abs(cnt*pric*100-float64(fen)) <= float64(tolerance)+1e-6
}

func partsFit(m thing, total int64) bool {
	sum, told := int64(0), 0
	for _, k := range []string{"fulamtOwnpayAmt", "overlmtSelfpay", "preselfpayAmt", "inscpScpAmt"} {
		if fen, ok := sim.Fen(str(m, k)); ok {
			sum, told = sum+fen, told+1
		}
	}
	return told < 4 || sum == total
}

// known finds the order of a request and checks whose it is.
func (b *books) known(m thing, person bool) (*order, *refusal) {
	o := b.orders[str(m, "payOrdId")]
	switch {
	case o == nil:
		return nil, &noOrder
	case str(m, "orgCodg") != OrgCode:
		return nil, noField.with("orgCodg")
	case str(m, "payToken") != o.token:
		return nil, &badToken
	case person && (str(m, "idNo") != o.idNo || str(m, "userName") != o.name):
		return nil, &otherPerson
	}
	return o, nil
}

// order is 6202: it fixes who pays what. The first price of an order stays.
func (s *Server) order(m thing, f sim.Fault) (thing, *refusal) {
	if r := lacks(m, "payOrdId", "payToken", "orgCodg", "orgBizSer"); r != nil {
		return nil, r
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	o, r := b.known(m, false)
	switch serial := str(m, "orgBizSer"); {
	case r != nil:
		return nil, r
	case b.serials[serial]:
		return nil, &repeated
	case o.state != saved && o.state != quoted:
		return nil, &badState
	case str(m, "chrgBchno") != "" && str(m, "chrgBchno") != o.batch:
		return nil, noField.with("chrgBchno与上传的不同")
	case str(m, "payAuthNo") != "":
		if r := b.licensed(m, o.idNo); r != nil {
			return nil, r
		}
	}
	if r := b.price(o); r != nil {
		return nil, r
	}
	b.serials[str(m, "orgBizSer")], o.serial, o.state = true, str(m, "orgBizSer"), quoted
	out := o.split.fields(thing{"payOrdId": o.payOrdID, "ordStas": strconv.Itoa(o.state)}, f)
	out["extData"] = thing{"preSetl": o.split.settlement(o)}
	return out, nil
}

func (b *books) price(o *order) *refusal {
	if o.split != nil {
		return nil
	}
	set := b.s.settings.Get()
	var planned *Planned
	if p, ok := b.plans[o.idNo]; ok {
		planned = &p
	}
	x, ok := divide(o.total, o.insutype, planned, set.Balance-b.spent[o.idNo], set)
	if !ok {
		return unequal.with("预设的分摊超过总额")
	}
	delete(b.plans, o.idNo)
	o.split = &x
	return nil
}

// query is 6301.
func (s *Server) query(m thing, f sim.Fault) (thing, *refusal) {
	if r := lacks(m, "payOrdId", "payToken", "orgCodg", "idNo", "userName", "idType"); r != nil {
		return nil, r
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	o, r := b.known(m, true)
	if r != nil {
		return nil, r
	}
	stas := o.tellState()
	out := thing{"payOrdId": o.payOrdID, "ordStas": strconv.Itoa(stas)}
	full := stas >= cashPaid && stas <= mixBack
	if o.split == nil || !full && s.settings.Get().BareStates {
		return out, nil
	}
	return o.result(out, f), nil
}

// result is what 6301 and 6302 tell of a settlement.
func (o *order) result(out thing, f sim.Fault) thing {
	o.split.fields(out, f)
	out["medOrgOrd"], out["callType"], out["setlType"], out["ecCode"] = o.medOrgOrd, "02", o.settledType(), o.psnNo
	out["orgName"], out["orgCode"] = OrgName, OrgCode
	if !o.settled.IsZero() {
		stamp := o.settled.Format("20060102150405")
		out["traceTime"], out["hiChrgTime"], out["hiDocSn"], out["hiRgstSn"], out["revsToken"] = stamp, stamp, o.docSn, o.rgstSn, o.revs
		out["extData"] = thing{"setlinfo": o.split.settlement(o)}
	}
	return out
}

// settledType says which parts are settled.
func (o *order) settledType() string {
	switch {
	case o.state == cashPaid || o.split.insured() == 0:
		return "CASH"
	case o.state == insured || o.split.cash == 0:
		return "HI"
	}
	return "ALL"
}

// undo is 6401: possible until somebody has paid. A second one changes nothing.
func (s *Server) undo(m thing, _ sim.Fault) (thing, *refusal) {
	if r := lacks(m, "payOrdId", "payToken", "orgCodg", "idNo", "userName", "idType"); r != nil {
		return nil, r
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	o, r := b.known(m, true)
	switch {
	case r != nil:
		return nil, r
	case o.state > settling && o.state != undone:
		return nil, &badState
	}
	o.state = undone
	return nil, nil
}

// tidy says an amount of a request; ok is true where it is left out, too.
func tidy(m thing, key string) (fen int64, told, ok bool) {
	text := strings.TrimSpace(str(m, key))
	if text == "" {
		return 0, false, true
	}
	fen, ok = sim.Fen(text)
	return fen, true, ok
}
