package his

import (
	"strconv"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// readBill reads the day and the part of it that is asked for from the address.
func readBill(e *core.RequestEvent) (any, error) {
	q := e.Request.URL.Query()
	ask := BillAsk{Date: q.Get("date"), Channel: q.Get("channel")}
	for name, to := range map[string]*int{"offset": &ask.Offset, "length": &ask.Length} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, flow.NewError(CodePageInvalid, "")
		}
		*to = n
	}
	return ask, nil
}

// showBill tells what moved on a day of Beijing.
func (h *Hooks) showBill(e *core.RequestEvent, c caller, body []byte) (any, error) {
	var ask BillAsk
	if err := content(body, &ask); err != nil {
		return nil, err
	}
	if err := ask.Check(); err != nil {
		return nil, err
	}
	from, to, err := calendar.ParseDay(ask.Date)
	if err != nil {
		return nil, flow.NewError(CodeDayInvalid, "")
	}
	lines, total, err := h.Store.Payments().Bill(e.Request.Context(), c.institution.Id, ask.Channel, from, to, ask.Offset, ask.Length)
	if err != nil {
		return nil, err
	}
	page := BillPage{Total: total, Offset: ask.Offset, Length: len(lines), List: make([]BillRow, len(lines))}
	for i, l := range lines {
		page.List[i] = row(l)
	}
	return page, nil
}

func row(l store.BillLine) BillRow {
	r := BillRow{ID: l.No, TradeNo: l.No, HISRefundID: l.HISRefundID, AmountSI: money.Fen(l.Fund), AmountAcc: money.Fen(l.Account),
		AmountOther: money.Fen(l.Other), AmountCash: money.Fen(l.Cash), AmountReduction: money.Fen(l.Reduced), TimePayed: unix(l.At.Time()),
		TimeTrade: unix(l.Trade.Time()), SetlID: l.SetlID, MdtrtID: l.MdtrtID, MedTransID: l.PayOrdID, CashPayID: l.CashNo,
		TerminalType: l.Terminal, ReconciliationNo: l.Receipt, Channel: l.Channel}
	if l.Refund != "" {
		r.ID = l.Refund
	}
	r.Amount = r.AmountSI + r.AmountAcc + r.AmountOther + r.AmountCash
	return r
}
