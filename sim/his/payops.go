package his

import (
	"slices"
	"strconv"
	"time"

	"hospay/sim"
)

// payOperations are the calls about bills.
var payOperations = []operation{
	{"bills", "QueryBills", "card_no", (*Server).bills},
	{"bill", "QueryBillDetail", "bill_no", (*Server).billDetail},
	{"departments", "QueryDepartments", "", (*Server).departments},
	{"slots", "QuerySlots", "department", (*Server).slots},
	{"lock", "LockSlot", "our_no", (*Server).lock},
	{"release", "ReleaseSlot", "our_no", (*Server).release},
	{"areas", "QueryAreas", "", (*Server).areas},
	{"enrolment", "QueryEnrolment", "card_no", (*Server).enrolment},
	{"save_identity", "SaveIdentity", "bill_no", (*Server).saveIdentity},
	{"bearer", "QueryBearer", "", (*Server).bearer},
	{"insurance_settle", "SettleInsurance", "med_org_ord", (*Server).settleInsurance},
	{"charge", "WriteCharge", "our_no", (*Server).charge},
	{"trade_check", "TradeCheck", "our_no", (*Server).tradeCheck},
	{"uncharge", "ReverseCharge", "our_no", (*Server).uncharge},
	{"uncharge_check", "QueryReverseCharge", "our_no", (*Server).unchargeCheck},
	{"refund_check", "RefundCheck", "our_no", (*Server).refundCheck},
	{"refund_notice", "RefundNotice", "refund_no", (*Server).refundNotice},
	{"charges", "QueryCharges", "date", (*Server).dayOfCharges},
}

// moneyFields are the fields of requests that hold money.
var moneyFields = []string{"amount", "total", "fund", "account", "family", "other", "cash", "fund_back", "account_back", "cash_back"}

// summary is a bill without its visit.
func (b *bill) summary() record {
	items := []record{}
	for _, l := range b.lines {
		items = append(items, record{{"name", l.name}, {"spec", l.spec}, {"unit", l.unit}, {"count", strconv.FormatInt(l.count, 10)},
			{"price", fen(b.priceOf(l))}, {"amount", fen(l.count * b.priceOf(l))}})
	}
	end := ""
	if !b.payBefore.IsZero() {
		end = b.payBefore.Format(stamp)
	}
	insurable := "0"
	if b.insurable {
		insurable = "1"
	}
	return record{{"bill_no", b.no}, {"card_no", b.cardNo}, {"kind", b.kind}, {"title", b.title}, {"department", b.dept},
		{"doctor", b.doctor}, {"created", b.created.Format(stamp)}, {"pay_before", end}, {"amount", fen(b.amount())},
		{"insurable", insurable}, {"reason", b.reason}, {"items", items}}
}

func (s *Server) bills(in input, _ sim.Fault) (record, error) {
	if err := in.need("card_no"); err != nil {
		return nil, err
	}
	open, err := s.desk.open(in["card_no"])
	if err != nil {
		return nil, err
	}
	rows := []record{}
	for _, b := range open {
		rows = append(rows, b.summary())
	}
	return record{{"card_no", in["card_no"]}, {"bills", rows}}, nil
}

func (s *Server) billDetail(in input, f sim.Fault) (record, error) {
	if err := in.need("card_no", "bill_no"); err != nil {
		return nil, err
	}
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	b, err := d.find(in["card_no"], in["bill_no"])
	if err != nil {
		return nil, err
	}
	d.strange(b, f)
	if err := b.payable(); err != nil {
		return nil, err
	}
	return append(b.summary(), b.visit()...), nil
}

// visit is what the insurance asks for; empty where none pays.
func (b *bill) visit() record {
	fees, diseases := []record{}, []record{}
	if b.insurable {
		for i, l := range b.lines {
			fees = append(fees, record{{"no", b.no + "-" + strconv.Itoa(i+1)}, {"rx_no", b.no}, {"time", b.created.Format(stamp)},
				{"list_code", l.listCode}, {"own_code", l.ownCode}, {"name", l.name}, {"spec", l.spec},
				{"count", strconv.FormatInt(l.count, 10)}, {"price", fen(b.priceOf(l))}, {"sum", fen(l.count * b.priceOf(l))},
				{"approved", "1"}})
		}
		diseases = append(diseases, record{{"type", "1"}, {"no", "1"}, {"code", "J06.900"}, {"name", "急性上呼吸道感染"},
			{"time", b.created.Format(stamp)}})
	}
	c := choice{medType: "11", area: ownArea}
	if b.kind == kindRegistration {
		c.medType = "12"
	}
	if b.chosen != nil {
		c = *b.chosen
	}
	advance := b.amount() / 10
	return record{{"visit_no", "MZ" + b.no[1:]}, {"mdtrt_id", "MD" + b.no[1:]}, {"psn_no", c.psnNo}, {"insutype", c.insutype},
		{"area", c.area}, {"med_type", c.medType}, {"fee_type", "01"}, {"begun", b.created.Format(stamp)}, {"dept_code", b.deptCode},
		{"dept_name", b.dept}, {"caty", "A03"}, {"doc_no", "D440100000001"}, {"doc_name", b.doctor}, {"dise_code", c.diseCode},
		{"dise_name", c.disease}, {"setl_way", "01"}, {"reform", "1"}, {"self_pay", fen(0)}, {"over_limit", fen(0)},
		{"advance", fen(advance)}, {"in_scope", fen(b.amount() - advance)}, {"fees", fees}, {"diseases", diseases}}
}

func (s *Server) departments(input, sim.Fault) (record, error) {
	rows := []record{}
	for _, d := range departments {
		rows = append(rows, record{{"code", d.code}, {"name", d.name}})
	}
	return record{{"departments", rows}}, nil
}

func (s *Server) slots(in input, _ sim.Fault) (record, error) {
	if err := in.need("department", "date"); err != nil {
		return nil, err
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	rows := []record{}
	for _, x := range s.desk.slots(in["department"], in["date"]) {
		rows = append(rows, record{{"slot_id", x.id}, {"department", x.dept}, {"day", x.day}, {"period", x.period}, {"doctor", x.doctor},
			{"title", x.title}, {"left", x.left}, {"amount", fen(x.price)}})
	}
	return record{{"department", in["department"]}, {"date", in["date"]}, {"slots", rows}}, nil
}

func (s *Server) lock(in input, f sim.Fault) (record, error) {
	if err := in.need("our_no", "slot_id", "card_no"); err != nil {
		return nil, err
	}
	life := time.Duration(s.settings.Get().LockMinutes) * time.Minute
	b, err := s.desk.lock(in["our_no"], in["slot_id"], in["card_no"], life, f)
	if err != nil {
		return nil, err
	}
	return append(record{{"our_no", in["our_no"]}}, b.summary()...), nil
}

func (s *Server) release(in input, _ sim.Fault) (record, error) {
	if err := in.need("our_no", "slot_id", "card_no"); err != nil {
		return nil, err
	}
	return record{{"our_no", in["our_no"]}}, s.desk.release(in["our_no"], in["slot_id"], in["card_no"])
}

// charge is the settlement that is written back. Its parts must be its total.
func (s *Server) charge(in input, f sim.Fault) (record, error) {
	if err := in.need("our_no", "bill_no", "card_no", "total"); err != nil {
		return nil, err
	}
	var parts [5]int64
	for i, name := range []string{"total", "fund", "account", "other", "cash"} {
		n, err := strconv.ParseInt(in[name], 10, 64)
		if err != nil || n < 0 {
			return nil, &refusal{"1400", "参数错误：" + name}
		}
		parts[i] = n
	}
	if parts[0] != parts[1]+parts[2]+parts[3]+parts[4] {
		return nil, &refusal{"1400", "参数错误：各部分之和与总额不符"}
	}
	c := charge{ourNo: in["our_no"], billNo: in["bill_no"], cardNo: in["card_no"], total: parts[0], insured: parts[1] + parts[2],
		medOrgOrd: in["med_org_ord"], payOrdID: in["pay_ord_id"], orderNo: in["order_no"], tradeNo: in["trade_no"], payWay: in["pay_way"],
		fund: parts[1], account: parts[2], cash: parts[4],
		hash: sim.HashJSON([]string{in["bill_no"], in["card_no"], in["total"], in["fund"], in["account"], in["other"], in["cash"],
			in["trade_no"]})}
	c, repeated, err := s.desk.write(c, s.settings.Get().ChargeIdempotent, f)
	if err != nil {
		return nil, err
	}
	insurance := "SUCCESS"
	if f.Kind == sim.HalfWritten {
		insurance = "FAIL"
	}
	return append(c.facts("done"), record{{"insurance_flag", insurance}, {"settle_flag", "SUCCESS"}, {"repeated", repeated}}...), nil
}

// facts are what answers say of a charge.
func (c charge) facts(status string) record {
	return record{{"our_no", c.ourNo}, {"bill_no", c.billNo}, {"card_no", c.cardNo}, {"receipt_no", c.receipt}, {"amount", fen(c.total)},
		{"guide", c.guide}, {"status", status}, {"time", c.told.Format(stamp)}}
}

func (s *Server) tradeCheck(in input, _ sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	c, undone, found := s.desk.findCharge(in["our_no"])
	if !found {
		return nil, errNotFound
	}
	status := "done"
	if undone != nil {
		status = "reversed"
	}
	return c.facts(status), nil
}

func (s *Server) uncharge(in input, f sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	if !s.settings.Get().UnchargeSupported {
		return nil, errNoUncharge
	}
	order := in["med_org_ord"]
	if order == "" {
		order = in["pay_ord_id"]
	}
	r, repeated, err := s.takeBack(in["our_no"], order, f)
	if err != nil {
		return nil, err
	}
	return append(r.facts(in["our_no"]), field{"repeated", repeated}), nil
}

func (r reversal) facts(ourNo string) record {
	return record{{"our_no", ourNo}, {"reverse_no", r.hisNo}, {"cancel_bill_no", r.cancelNo}, {"cancel_serial_no", r.cancelSer},
		{"status", "done"}, {"time", r.at.Format(stamp)}}
}

func (s *Server) unchargeCheck(in input, _ sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	_, undone, _ := s.desk.findCharge(in["our_no"])
	if undone == nil {
		return nil, errNotFound
	}
	return undone.facts(in["our_no"]), nil
}

func (s *Server) refundCheck(in input, f sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	c, undone, found := s.desk.findCharge(in["our_no"])
	if !found || undone != nil {
		return nil, errNotFound
	}
	allowed, reason := "1", ""
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	b := s.desk.bills[c.billNo]
	if s.desk.strange(b, f); b.dispensed {
		allowed, reason = "0", errDispensed.message
	}
	return record{{"our_no", c.ourNo}, {"allowed", allowed}, {"reason", reason}, {"left", fen(c.total - c.back)}}, nil
}

func (s *Server) refundNotice(in input, _ sim.Fault) (record, error) {
	if err := in.need("our_no", "refund_no"); err != nil {
		return nil, err
	}
	var back, cash int64
	for _, name := range []string{"fund_back", "account_back", "cash_back"} {
		n, err := strconv.ParseInt(in[name], 10, 64)
		if err != nil || n < 0 {
			return nil, &refusal{"1400", "参数错误：" + name}
		}
		back, cash = back+n, n
	}
	hash := sim.HashJSON([]string{in["our_no"], in["fund_back"], in["account_back"], in["cash_back"]})
	n, repeated, err := s.desk.refunded(in["our_no"], in["refund_no"], hash, back, cash)
	if err != nil {
		return nil, err
	}
	return record{{"our_no", in["our_no"]}, {"refund_no", in["refund_no"]}, {"his_no", n.hisNo}, {"amount", fen(n.amount)}, {"status", "done"},
		{"time", n.at.Format(stamp)}, {"repeated", repeated}}, nil
}

func isMoney(name string) bool { return slices.Contains(moneyFields, name) }
