package store

import (
	"context"
	"encoding/json"
	"time"

	"hospay/calendar"
	"hospay/payment"

	"github.com/pocketbase/dbx"
)

// SettledOn lists the settlements of a business day (yyyy-MM-dd) at the insurance,
// and those that went back on it, in the order of their numbers. The day is the
// centre's: that of its own time, where it told one. What a settlement does not
// tell of its clearing is taken from habits.
func (p *Payments) SettledOn(ctx context.Context, institution, day string, h payment.BookHabits) (out []payment.SettledLine, err error) {
	from, to, err := calendar.ParseDay(day)
	if err != nil {
		return nil, err
	}
	for _, back := range []bool{false, true} {
		column, near := "settled_at", 24*time.Hour
		if back {
			column, near = "insurance_back_at", 0
		}
		var ids []string
		err := p.s.app.ConcurrentDB().NewQuery("SELECT id FROM payment_orders WHERE institution = {:i} AND " + column + " >= {:f} AND " + column +
			" < {:t} AND " + column + " != '' ORDER BY no").Bind(dbx.Params{"i": institution, "f": stamp(from.Add(-near)),
			"t": stamp(to.Add(near))}).
			WithContext(ctx).Column(&ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			w, err := p.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			if back || settledDay(w.Order) == day {
				out = append(out, settledOf(w.Order, back, h))
			}
		}
	}
	return out, nil
}

// settledDay is the business day of a settlement.
func settledDay(o payment.Order) string {
	for _, layout := range []string{"20060102150405", time.DateTime} { // as centres write it
		if at, err := time.ParseInLocation(layout, o.Settlement.Time, calendar.Beijing); err == nil {
			return calendar.Day(at)
		}
	}
	return calendar.Day(o.SettledAt)
}

// clearing is what a settlement tells of itself (setlinfo).
type clearing struct {
	PsnNo   string `json:"psn_no"`
	MdtrtID string `json:"mdtrt_id"`
	SetlID  string `json:"setl_id"`
	Type    string `json:"clr_type"`
	Optins  string `json:"clr_optins"`
}

func settledOf(o payment.Order, back bool, h payment.BookHabits) payment.SettledLine {
	var info struct {
		One clearing `json:"setlinfo"`
	}
	if json.Unmarshal(o.Settlement.Info, &info) != nil {
		var list struct {
			All []clearing `json:"setlinfo"`
		}
		if json.Unmarshal(o.Settlement.Info, &list) == nil && len(list.All) == 1 {
			info.One = list.All[0]
		}
	}
	first := func(texts ...string) string {
		for _, t := range texts {
			if t != "" {
				return t
			}
		}
		return ""
	}
	c := info.One
	return payment.SettledLine{No: o.No, SetlID: first(o.Settlement.SetlID, c.SetlID), MdtrtID: first(c.MdtrtID, o.MdtrtID), PsnNo: c.PsnNo,
		Clearing: payment.Clearing{Insutype: o.Insutype, Type: first(c.Type, h.Type), Optins: first(c.Optins, h.Optins, o.Area)},
		Total:    o.Total, Fund: o.Fund, Account: o.Account, Cash: o.Cash, Back: back}
}
