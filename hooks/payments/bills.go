package payments

import (
	"cmp"
	"net/http"
	"time"

	"hospay/calendar"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/payment"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func (h *Hooks) bindBillRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	g.GET("/bills", h.bills).BindFunc(kit.RequirePatient, h.withinBudget)
	g.GET("/departments", h.departments).BindFunc(kit.RequirePatient, h.withinBudget)
	g.GET("/slots", h.slots).BindFunc(kit.RequirePatient, h.withinBudget)
	g.POST("/slots/{id}/lock", h.lock).BindFunc(kit.RequirePatient, h.withinBudget)
	g.DELETE("/slots/{id}/lock", h.release).BindFunc(kit.RequirePatient, h.withinBudget)
}

// billsView are the unpaid bills of a card, as HIS tells them now.
type billsView struct {
	AsOf  string     `json:"as_of"`
	Bills []billView `json:"bills"`
}

// billView is a bill. Order is the patient's order of it that is not at its end,
// empty where there is none.
type billView struct {
	No         string       `json:"bill_no"`
	Kind       payment.Kind `json:"kind"`
	Title      string       `json:"title"`
	Department string       `json:"department"`
	Doctor     string       `json:"doctor"`
	Created    string       `json:"created"`
	PayBefore  string       `json:"pay_before"`
	Amount     money.Fen    `json:"amount"` // 0: HIS tells none, and it cannot be paid here
	Insurable  bool         `json:"insurable"`
	Reason     string       `json:"reason"`
	Own        bool         `json:"own"` // it may be paid without the insurance
	OwnReason  string       `json:"own_reason"`
	Items      []itemView   `json:"items"`
	Order      string       `json:"order"`
}

// itemView is a line of a bill. Count and price are as HIS writes them; the price
// is yuan.
type itemView struct {
	Name   string    `json:"name"`
	Spec   string    `json:"spec"`
	Unit   string    `json:"unit"`
	Count  string    `json:"count"`
	Price  string    `json:"price"`
	Amount money.Fen `json:"amount"`
}

func viewBill(b payment.Bill, order string) billView {
	v := billView{No: b.No, Kind: b.Kind, Title: b.Title, Department: b.Department, Doctor: b.Doctor, Created: calendar.Clock(b.Created),
		PayBefore: calendar.Clock(b.PayBefore), Amount: b.Amount, Insurable: b.Insurable && b.Amount > 0, Reason: b.Reason, Items: []itemView{},
		Own: b.Amount > 0 && !b.OwnOff, OwnReason: b.OwnReason, Order: order}
	if b.Amount <= 0 {
		v.Reason = cmp.Or(v.Reason, kit.ErrorText(payment.CodeBillUnreadable))
		v.OwnReason = cmp.Or(v.OwnReason, v.Reason)
	}
	for _, i := range b.Items {
		v.Items = append(v.Items, itemView{Name: i.Name, Spec: i.Spec, Unit: i.Unit, Count: i.Count, Price: i.Price, Amount: i.Amount})
	}
	return v
}

// bills tells the unpaid bills of an own card (B7 B22), fresh from HIS.
func (h *Hooks) bills(e *core.RequestEvent) error {
	cardNo := e.Request.URL.Query().Get("card_no")
	if err := h.own(e, cardNo); err != nil {
		return h.fail(e, err)
	}
	all, err := h.Bills.Bills(e.Request.Context(), asker(e), cardNo)
	if err != nil {
		return h.fail(e, err)
	}
	open, err := h.Store.Payments().OpenBills(e.Request.Context(), e.Auth.Id)
	if err != nil {
		return h.fail(e, err)
	}
	out := billsView{AsOf: calendar.Clock(h.Now()), Bills: []billView{}}
	for _, b := range all {
		out.Bills = append(out.Bills, viewBill(b, open[b.No]))
	}
	return e.JSON(http.StatusOK, out)
}

// departmentsView is where one can register.
type departmentsView struct {
	Departments []departmentView `json:"departments"`
}

type departmentView struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

func (h *Hooks) departments(e *core.RequestEvent) error {
	all, err := h.Bills.Departments(e.Request.Context(), asker(e))
	if err != nil {
		return h.fail(e, err)
	}
	out := departmentsView{Departments: []departmentView{}}
	for _, d := range all {
		out.Departments = append(out.Departments, departmentView{Code: d.Code, Name: d.Name})
	}
	return e.JSON(http.StatusOK, out)
}

// slotsView is what can be taken of a department on a day.
type slotsView struct {
	Slots []slotView `json:"slots"`
}

type slotView struct {
	ID         string    `json:"id"`
	Department string    `json:"department"`
	Day        string    `json:"day"`
	Period     string    `json:"period"`
	Doctor     string    `json:"doctor"`
	Title      string    `json:"title"`
	Left       int       `json:"left"`
	Amount     money.Fen `json:"amount"`
}

// slots tells what can be taken; without a date, of today.
func (h *Hooks) slots(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	day := cmp.Or(q.Get("date"), h.Now().In(calendar.Beijing).Format(time.DateOnly))
	all, err := h.Bills.Slots(e.Request.Context(), asker(e), q.Get("department"), day)
	if err != nil {
		return h.fail(e, err)
	}
	out := slotsView{Slots: []slotView{}}
	for _, s := range all {
		out.Slots = append(out.Slots, slotView{ID: s.ID, Department: s.Department, Day: s.Day, Period: s.Period, Doctor: s.Doctor,
			Title: s.Title, Left: s.Left, Amount: s.Amount})
	}
	return e.JSON(http.StatusOK, out)
}

// cardBody names the card of a lock.
type cardBody struct {
	CardNo string `json:"card_no"`
}

// lock keeps a slot and answers with its bill (B20 B35).
func (h *Hooks) lock(e *core.RequestEvent) error {
	var body cardBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	if err := h.own(e, body.CardNo); err != nil {
		return h.fail(e, err)
	}
	b, err := h.Bills.Lock(e.Request.Context(), asker(e), e.Request.PathValue("id"), body.CardNo)
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, viewBill(b, ""))
}

// releasedView says that nothing is kept any more.
type releasedView struct {
	Released bool `json:"released"`
}

// release gives a slot back, for the card that is named in the body or the address,
// or for the one that it was taken for.
func (h *Hooks) release(e *core.RequestEvent) error {
	var body cardBody
	if e.Request.ContentLength != 0 {
		if err := e.BindBody(&body); err != nil {
			return kit.BadRequest()
		}
	}
	card := cmp.Or(body.CardNo, e.Request.URL.Query().Get("card_no"))
	if card != "" {
		if err := h.own(e, card); err != nil {
			return h.fail(e, err)
		}
	}
	if err := h.Bills.Release(e.Request.Context(), asker(e), e.Request.PathValue("id"), card); err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, releasedView{Released: true})
}
