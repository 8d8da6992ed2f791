package his

import (
	"context"
	"errors"
	"fmt"

	"hospay/internal/foreign"
	"hospay/payment"
)

// Charges reads what HIS has booked of bills on a business day (收费日账单), page
// by page as Statement does.
func (e *Engine) Charges(ctx context.Context, day string, each func(payment.ChargeLine) error) error {
	return e.pages(ctx, OpCharges, day, func(op Operation, rows []Document, before string) (string, error) {
		first := ""
		for _, row := range rows {
			line := e.chargeLine(op, row)
			if first == "" {
				if first = fmt.Sprint(line); first == before {
					return "", unavailable(OpCharges, errors.New("list repeats a page: the HIS does not page"))
				}
			}
			if err := each(line); err != nil {
				return "", err
			}
		}
		return first, nil
	})
}

// chargeLine reads a row. What went back is told by the row's kind, or by an
// amount below zero.
func (e *Engine) chargeLine(op Operation, row Document) payment.ChargeLine {
	f := op.Fields
	l := payment.ChargeLine{OrderNo: pick(row, f["order_no"]), RefundNo: pick(row, f["refund_no"]), TradeNo: pick(row, f["trade_no"]),
		HISNo: pick(row, f["his_no"]), CardNo: pick(row, f["card_no"]), Channel: op.word(foreign.Channel, pick(row, f["channel"])),
		Status: op.word(-1, pick(row, f["status"]))}
	var err error
	if l.Cash, err = e.amountOf(op, row, "cash"); err != nil {
		l.Unread = err.Error()
	}
	l.Back = op.word(-1, pick(row, f["kind"])) == "back" || l.Cash < 0
	l.Cash = max(l.Cash, -l.Cash)
	if l.At, err = e.mapping.readTime(pick(row, f["time"])); err != nil {
		l.Unread = "time: " + err.Error()
	}
	return l
}
