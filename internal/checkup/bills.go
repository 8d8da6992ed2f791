package checkup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

// Bills asks all that only reads about bills: nothing is locked, saved, paid or
// taken back, and neither names nor what was treated are told.
func (l *List) Bills(ctx context.Context, his payment.HIS, who payment.Insured, day string) {
	can := his.Can()
	if can.Bills {
		l.unpaid(ctx, his, who.CardNo)
	}
	if can.Slots {
		l.slots(ctx, his, day)
	}
	area := ""
	if can.Areas {
		l.step("areas 参保地", func() (string, error) {
			areas, err := his.Areas(ctx)
			for _, a := range areas {
				if area == "" || a.Own {
					area = a.Code
				}
			}
			return fmt.Sprintf("%d 个，查询用 %s", len(areas), area), err
		})
	}
	if can.Enrolment && area != "" {
		l.step("enrolment 参保与待遇", func() (string, error) {
			e, err := his.Enrolment(ctx, who, area)
			enjoyed := 0
			for _, b := range e.Benefits {
				if b.Enjoyed {
					enjoyed++
				}
			}
			return fmt.Sprintf("已参保 %v，%d 种待遇，可享受 %d 种", e.Enrolled, len(e.Benefits), enjoyed), err
		})
	}
	l.numbers(ctx, his, can)
}

// unpaid reads the bills of a card, and the first one whole.
func (l *List) unpaid(ctx context.Context, his payment.HIS, card string) {
	first := ""
	l.step("bills 待缴账单", func() (string, error) {
		bills, err := his.Bills(ctx, card)
		sum, insurable, odd := money.Fen(0), 0, []string{}
		for _, b := range bills {
			sum += b.Amount
			if b.Insurable {
				insurable++
			}
			if first == "" && b.Amount > 0 {
				first = b.No
			}
			odd = append(odd, b.Unread...)
		}
		if err == nil {
			err = oddFields(odd)
		}
		return fmt.Sprintf("%d 张，合计 %s，可医保 %d 张", len(bills), sum, insurable), err
	})
	if first == "" {
		return
	}
	l.step("bill 账单明细", func() (string, error) {
		b, err := his.Bill(ctx, card, first)
		if err == nil {
			err = oddFields(b.Unread)
		}
		fees := 0
		if b.Visit != nil {
			fees = len(b.Visit.Fees)
		}
		return fmt.Sprintf("%s，%d 项，医保明细 %d 行", b.Amount, len(b.Items), fees), err
	})
}

func oddFields(odd []string) error {
	if len(odd) == 0 {
		return nil
	}
	return fmt.Errorf("无法识别的字段：%s", strings.Join(odd, "；"))
}

// slots reads the departments, and what the first one gives out on the day.
func (l *List) slots(ctx context.Context, his payment.HIS, day string) {
	code := ""
	l.step("departments 科室", func() (string, error) {
		all, err := his.Departments(ctx)
		if len(all) > 0 {
			code = all[0].Code
		}
		return fmt.Sprintf("%d 个", len(all)), err
	})
	if code == "" {
		return
	}
	l.step("slots 号源", func() (string, error) {
		all, err := his.Slots(ctx, code, day)
		left, odd := 0, []string{}
		for _, s := range all {
			left += s.Left
			if s.Unread != "" {
				odd = append(odd, s.Unread)
			}
		}
		if err == nil {
			err = oddFields(odd)
		}
		return fmt.Sprintf("科室 %s %s：%d 个号源，余 %d", code, day, len(all), left), err
	})
}

// numbers asks for a settlement and a reversal that cannot exist.
func (l *List) numbers(ctx context.Context, his payment.HIS, can payment.HISCan) {
	no := impossible()
	c := payment.Charge{No: no, ChargeNo: no, BillNo: "0", CardNo: "0", Total: 1, Cash: 1, Channel: "wechat"}
	if can.Check {
		l.step("trade_check 不存在的流水号", func() (string, error) { return wantNone(his.CheckCharge(ctx, c)) })
	}
	if can.Reverse {
		l.step("uncharge_check 不存在的流水号", func() (string, error) { return wantNone(his.CheckReverse(ctx, c)) })
	}
}

func wantNone(r payment.Receipt) (string, error) {
	if r.Verdict != flow.Done || r.State != payment.ReceiptNotFound {
		return "", errors.New("应为查无此笔，得到 " + strings.TrimSpace(r.Verdict.String()+" "+r.Reason.String()))
	}
	return "查无此笔", nil
}
