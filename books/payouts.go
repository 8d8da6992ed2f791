package books

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"

	"hospay/calendar"
	"hospay/reconcile"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// tell puts our own words to differences whose cause we know better than the
// day's lines do: bills that were waited for, payments by hand, and numbers that paid for an order of another
// day.
func (f *feeder) tell(found []reconcile.Order, bills []Statement) (err error) {
	for i := range found {
		missed(&found[i], f.day, bills)
		switch o := &found[i]; {
		case f.hand[o.OrderNo]:
			o.Explain = handText(*o)
		case o.OrderNo == "" && o.Kind == reconcile.OnlyChannel:
			err = errors.Join(err, f.tellNumber(o))
		case f.underWay[o.OrderNo]:
			o.Explain += "这张缴费单还没有办结，系统正在处理（挂账的由人处理），办结后再对账自动了结。"
		}
	}
	return err
}

// handText says what became of an order that two people have settled as paid by
// hand.
func handText(o reconcile.Order) string {
	const paid = "这笔退款已由两人凭凭证确认为线下付款"
	c, h := o.Books[reconcile.Channel], o.Books[reconcile.HIS]
	switch {
	case c != nil && c.Status == reconcile.Succeeded:
		return paid + "，而" + reconcile.ChannelChinese(c.Channel) + "账单里也付了这一笔。凭证若就是这笔渠道付款，请注明后以“更正”处理；否则患者收了两次，请立即联系患者追回一次。"
	case h == nil || h.Status != reconcile.Succeeded:
		return paid + "，而 HIS 没有这笔扣减（或已冲正）：患者可能既有钱又有余额。请核对余额后在 HIS 补记。"
	case o.Kind == reconcile.WrongChannel:
		return paid + "，渠道没有付；HIS 登记的渠道是" + reconcile.ChannelChinese(h.Channel) + "。请按凭证把 HIS 的渠道更正为线下（现金、银行转账等），下次对账自动了结；HIS 不能更正的，" +
			"注明凭证号后以“更正”处理，由第二人确认。"
	}
	return paid + "。" + o.Explain
}

// numberSQL finds the order of a number that was sent to a channel.
const numberSQL = "SELECT o.no, o.status, o.paid_at, h.id IS NOT NULL AS hand FROM transfer_orders t JOIN refund_orders o ON o.id = " +
	"t.`order` " + handSQL + "WHERE t.out_bill_no = {:b} AND o.institution = {:i}"

// tellNumber says of a payment that no book of the day holds whose it is.
func (f *feeder) tellNumber(found *reconcile.Order) error {
	var o orderLine
	err := f.App.ConcurrentDB().NewQuery(numberSQL).Bind(dbx.Params{"b": found.BillNo, "i": f.inst}).WithContext(f.ctx).One(&o)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	day := cmp.Or(calendar.Clock(o.PaidAt.Time()), "0000-00-00")[:len("0000-00-00")]
	how := "还没有办结"
	switch status := refund.Status(o.Status); {
	case o.Hand:
		how = "已于 " + day + " 由两人凭凭证确认为线下付款"
	case status == refund.StatusSucceeded:
		how = "已于 " + day + " 记为到账"
	case refund.Machine.Final(status):
		how = "没有付成，余额已退回"
	}
	found.Explain = fmt.Sprintf("渠道付了退款单 %s 的单号 %s，而平台记该单%s。若患者因此收了两次，请立即追回一次；若只有这一次，请与该单那一天的差异一并核对，注明后处理。", o.No, found.BillNo, how)
	return nil
}
