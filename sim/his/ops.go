package his

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

const stamp = "2006-01-02 15:04:05"

// fen marks a value as money: an integer in REST, yuan text in SOAP.
type fen int64

// field is one named value: string, bool, int, fen or []record.
type field struct {
	name  string
	value any
}

// record keeps its fields in order.
type record []field

// input is a request without its style: REST names, money in fen.
type input map[string]string

func (in input) fen(name string) (int64, bool) {
	n, err := strconv.ParseInt(in[name], 10, 64)
	return n, err == nil && n > 0
}

// need refuses a request that lacks a field.
func (in input) need(names ...string) error {
	for _, n := range names {
		if in[n] == "" {
			return &refusal{"1400", "参数错误：缺少" + n}
		}
	}
	return nil
}

// operation is one call of the HIS in every style.
type operation struct {
	name, tradeCode string
	number          string // field that holds our number
	run             func(*Server, input, sim.Fault) (record, error)
}

var operations = []operation{
	{"identity", "QueryPatient", "", (*Server).identity},
	{"cards", "QueryCards", "", (*Server).cards},
	{"balance", "QueryBalance", "card_no", (*Server).balance},
	{"deposits", "QueryDeposits", "card_no", (*Server).deposits},
	{"debit", "RefundDeposit", "our_no", (*Server).debit},
	{"query_debit", "QueryRefund", "our_no", (*Server).queryDebit},
	{"reverse", "CancelRefund", "our_no", (*Server).reverse},
	{"query_reverse", "QueryCancel", "our_no", (*Server).queryReverse},
	{"statement", "QueryBill", "date", (*Server).statement},
}

// patient finds the person that a request means.
func (s *Server) patient(in input) (*world.Patient, error) {
	p := (*world.Patient)(nil)
	switch {
	case in["patient_id"] != "":
		p = s.world.Find(in["patient_id"])
	case in["id_no"] != "":
		p = s.world.Find(in["id_no"])
	case in["card_no"] != "":
		c := s.world.Card(in["card_no"])
		if c == nil {
			return nil, errCard
		}
		p = c.Patient
	default:
		return nil, &refusal{"1400", "参数错误：缺少patient_id、id_no或card_no"}
	}
	if p == nil || in["name"] != "" && in["name"] != p.Name {
		return nil, errPatient
	}
	return p, nil
}

func (s *Server) identity(in input, _ sim.Fault) (record, error) {
	p, err := s.patient(in)
	if err != nil {
		return nil, err
	}
	return record{{"patient_id", p.Code}, {"name", p.Name},
		{"id_type", cmp.Or(p.IDType, "01")}, {"id_no", p.IDNo}, {"phone", p.Phone}, {"birth", p.Birth}}, nil
}

func (s *Server) cards(in input, _ sim.Fault) (record, error) {
	p, err := s.patient(in)
	if err != nil {
		return nil, err
	}
	rows := []record{}
	for _, no := range p.Cards {
		s.books.with(no, func(a *account) {
			rows = append(rows, record{{"card_no", no}, {"card_name", p.Name}, {"card_type", "就诊卡"}, {"status", a.status()},
				{"balance", fen(a.balance())}, {"refundable", fen(a.refundable())}, {"issued_at", a.card.IssuedAt.Format(stamp)}})
		})
	}
	return record{{"cards", rows}}, nil
}

func (s *Server) balance(in input, _ sim.Fault) (out record, err error) {
	if err := in.need("card_no"); err != nil {
		return nil, err
	}
	err = s.books.with(in["card_no"], func(a *account) {
		out = record{{"card_no", a.card.No}, {"card_name", a.card.Patient.Name}, {"status", a.status()}, {"balance", fen(a.balance())},
			{"refundable", fen(a.refundable())}, {"as_of", s.Clock().Now().Format(stamp)}}
	})
	return out, err
}

func (s *Server) deposits(in input, _ sim.Fault) (out record, err error) {
	if err := in.need("card_no"); err != nil {
		return nil, err
	}
	err = s.books.with(in["card_no"], func(a *account) {
		rows := []record{}
		for _, d := range a.deposits {
			rows = append(rows, record{{"deposit_no", d.No}, {"amount", fen(d.Amount)}, {"refundable", fen(d.left)}, {"pay_method", d.Method},
				{"out_trade_no", d.OutTradeNo}, {"transaction_id", d.TransactionID}, {"paid_at", d.PaidAt.Format(stamp)}})
		}
		out = record{{"card_no", a.card.No}, {"deposits", rows}}
	})
	return out, err
}

func (s *Server) debit(in input, f sim.Fault) (record, error) {
	if err := in.need("our_no", "order_no", "card_no", "amount", "method", "channel"); err != nil {
		return nil, err
	}
	amount, ok := in.fen("amount")
	if !ok {
		return nil, &refusal{"1400", "参数错误：amount"}
	}
	d, balance, repeated, err := s.books.debit(debit{ourNo: in["our_no"], orderNo: in["order_no"], cardNo: in["card_no"], amount: amount,
		method: in["method"], channel: in["channel"], depositNo: in["deposit_no"], odd: f.Kind})
	if err != nil {
		return nil, err
	}
	return record{{"our_no", d.ourNo}, {"order_no", d.orderNo}, {"his_refund_no", d.hisNo}, {"card_no", d.cardNo}, {"amount", fen(d.amount)},
		{"status", "done"}, {"time", d.told.Format(stamp)}, {"balance", fen(balance)}, {"repeated", repeated}}, nil
}

func (s *Server) queryDebit(in input, _ sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	d, found := s.books.find(in["our_no"])
	if !found {
		return nil, errNotFound
	}
	return record{{"our_no", d.ourNo}, {"order_no", d.orderNo}, {"his_refund_no", d.hisNo}, {"card_no", d.cardNo}, {"amount", fen(d.amount)},
		{"method", d.method}, {"channel", d.channel}, {"status", d.status()}, {"time", d.told.Format(stamp)}}, nil
}

func (s *Server) reverse(in input, f sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	if !s.settings.Get().ReverseSupported {
		return nil, errNoReversal
	}
	d, balance, repeated, err := s.books.reverse(in["our_no"], f.Kind)
	if err != nil {
		return nil, err
	}
	return record{{"our_no", d.ourNo}, {"his_refund_no", d.hisNo}, {"his_reverse_no", d.reverseNo}, {"card_no", d.cardNo},
		{"amount", fen(d.amount)},
		{"status", "done"}, {"time", d.reversedTold.Format(stamp)}, {"balance", fen(balance)}, {"repeated", repeated}}, nil
}

func (s *Server) queryReverse(in input, _ sim.Fault) (record, error) {
	if err := in.need("our_no"); err != nil {
		return nil, err
	}
	d, found := s.books.find(in["our_no"])
	if !found || d.reverseNo == "" {
		return nil, errNotFound
	}
	return record{{"our_no", d.ourNo}, {"his_refund_no", d.hisNo}, {"his_reverse_no", d.reverseNo}, {"amount", fen(d.amount)},
		{"status", "done"}, {"time", d.reversedTold.Format(stamp)}}, nil
}

func (s *Server) statement(in input, _ sim.Fault) (record, error) {
	if _, err := time.Parse(time.DateOnly, in["date"]); err != nil {
		return nil, &refusal{"1400", "参数错误：date"}
	}
	page, size := number(in["page"], 1), min(number(in["page_size"], 200), s.settings.Get().PageMax)
	found, total, sum := s.books.page(in["date"], in["kind"] == "all", page, size)
	rows := []record{}
	for _, r := range found {
		status := r.status()
		if r.kind == "reverse" {
			status = "done"
		}
		rows = append(rows, record{{"time", r.at.Format(stamp)}, {"kind", r.kind}, {"order_no", r.orderNo}, {"our_no", r.ourNo},
			{"his_refund_no", r.hisNo},
			{"card_no", r.cardNo}, {"amount", fen(r.amount)}, {"method", r.method}, {"channel", r.channel}, {"status", status}})
	}
	return record{{"date", in["date"]}, {"page", page}, {"page_size", size}, {"total", total}, {"total_amount", fen(sum)}, {"rows", rows}}, nil
}

func number(text string, def int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n > 0 {
		return n
	}
	return def
}

// call describes a request for the log and the faults.
func (op *operation) call(in input) sim.Call {
	fields := map[string]string{}
	for k, v := range in {
		fields[k] = v
	}
	no := ""
	if op.number != "" {
		no = in[op.number]
	}
	return sim.Call{Op: op.name, Alias: op.name, No: no, Hash: sim.Hash(fields)}
}
