package demo

import (
	"context"
	"fmt"
	"time"

	"hospay/collections"
	"hospay/money"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// History is the past of the demo hospital: what the program would have written
// on the days before today, and what the other sides have in their books of
// these days. It is made up, for the demo only; the same seed and day always
// give the same past.
type History struct {
	App    core.App
	Store  *store.Store
	At     Endpoints
	Review refund.ReviewSettings
	Seed   int64
	Days   int
	Now    time.Time
}

// Told is what a history consists of.
type Told struct {
	Days, Orders, Open int
	Paid               money.Fen
	Planted            []string // differences between the books and the bills
}

// Line is the history in one line.
func (t Told) Line() string {
	return fmt.Sprintf("此前 %d 天的历史：%d 笔订单，其中 %d 笔待审核，到账 %s；账单中故意留下 %d 处差异", t.Days, t.Orders, t.Open, t.Paid.String(), len(t.Planted))
}

// chunk is how many orders of the past share a transaction.
const chunk = 120

// Write makes the past up and tells it to the other sides, then to the
// program. A folder that has orders has a past already.
func (h History) Write(ctx context.Context) (Told, error) {
	if has, err := h.Store.HasOrders(); has || err != nil || h.Days <= 0 {
		return Told{}, err
	}
	p, err := h.plan(ctx)
	if err != nil {
		return Told{}, err
	}
	if err := p.tellSides(ctx, h.At); err != nil {
		return Told{}, err
	}
	var pasts []store.Past
	for _, o := range p.orders {
		pasts = append(pasts, p.past(o))
	}
	for len(pasts) > 0 {
		n := min(chunk, len(pasts))
		if err := h.Store.WritePast(pasts[:n]); err != nil {
			return Told{}, err
		}
		pasts = pasts[n:]
	}
	return p.told(h.Days), nil
}

// person is a test person as the portal knows everybody.
type person struct {
	Code         string   `json:"code"`
	Name         string   `json:"name"`
	IDNo         string   `json:"id_no"`
	Phone        string   `json:"phone"`
	Openid       string   `json:"openid"`
	WechatName   string   `json:"wechat_name"`
	AlipayUserID string   `json:"alipay_user_id"`
	AlipayLogon  string   `json:"alipay_account"`
	AlipayName   string   `json:"alipay_name"`
	Cards        []string `json:"cards"`
	record       string   // once it is known to the program
}

// people are those whose accounts are their own.
func (h History) people(ctx context.Context) ([]*person, error) {
	var all struct {
		Patients []*person `json:"patients"`
	}
	if err := get(ctx, h.At.Portal+"/_sim/patients", &all); err != nil {
		return nil, err
	}
	var out []*person
	for _, p := range all.Patients {
		if p.WechatName == p.Name && p.AlipayName == p.Name {
			out = append(out, p)
		}
	}
	if len(out) < 15 {
		return nil, fmt.Errorf("模拟器只有 %d 名测试患者，不够写历史", len(out))
	}
	return out, nil
}

// visit makes a person known to the program.
func (h History) visit(institution string, p *person) error {
	if p.record != "" {
		return nil
	}
	rec, err := h.Store.SaveVisitor(institution, store.Visitor{Via: "wechat", Wechat: p.Openid,
		Person: refund.Person{PatientNo: p.Code, Name: p.Name, IDType: "01", IDNo: p.IDNo, Phone: p.Phone}})
	if err == nil {
		p.record = rec.Id
	}
	return err
}

// staff finds the two reviewers of the demo.
func (h History) staff() (first, second people.By, err error) {
	for name, to := range map[string]*people.By{"reviewer1": &first, "reviewer2": &second} {
		rec, err := h.App.FindAuthRecordByEmail(collections.Staff, name+"@demo.hospay")
		if err != nil {
			return first, second, err
		}
		*to = people.By{Kind: people.ByStaff, ID: rec.Id}
	}
	return first, second, nil
}

func (h History) plan(ctx context.Context) (*plan, error) {
	inst, err := h.App.FindFirstRecordByData(collections.Institutions, "code", InstitutionCode)
	if err != nil {
		return nil, err
	}
	p := newPlan(h, inst.Id)
	if p.first, p.second, err = h.staff(); err != nil {
		return nil, err
	}
	if p.people, err = h.people(ctx); err != nil {
		return nil, err
	}
	for back := h.Days; back >= 1; back-- {
		p.day(back)
	}
	for _, o := range p.orders {
		if err := h.visit(inst.Id, o.who); err != nil {
			return nil, err
		}
		o.Patient = o.who.record
	}
	p.plant()
	return p, nil
}

func (p *plan) told(days int) Told {
	t := Told{Days: days, Orders: len(p.orders), Planted: p.planted}
	for _, o := range p.orders {
		switch o.way {
		case wayOpen:
			t.Open++
		case wayPaid:
			t.Paid += o.Amount
		}
	}
	return t
}
