package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"hospay/internal/i18n"
	"hospay/money"

	"github.com/pocketbase/dbx"
)

func remove(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, url, nil)
	if err != nil {
		return err
	}
	return do(req, nil)
}

func route(w Wish) string {
	return i18n.Text(i18n.Default, "channel."+w.Channel) + i18n.Text(i18n.Default, "method."+w.Method)
}

// width counts columns of a terminal: Chinese characters take two.
func width(s string) int {
	n := 0
	for _, r := range s {
		if r >= 0x2e80 {
			n++
		}
		n++
	}
	return n
}

func pad(s string, columns int) string {
	return s + strings.Repeat(" ", max(columns-width(s), 0))
}

// Table prints every order of the day with the way it went.
func (d *Day) Table(w io.Writer) error {
	fmt.Fprintf(w, "\n%s %s %s %s %s %s\n", pad("退款单号", 22), pad("患者", 6), pad("方式", 12), pad("金额", 12), pad("结果", 14), "处理记录")
	for _, t := range d.Tracks() {
		path, err := d.path(t)
		if err != nil {
			return err
		}
		result := word("status.", t.Got)
		mark := " "
		if t.Got != t.Want {
			mark = "✗"
		}
		fmt.Fprintf(w, "%s %s %s %s %s%s %s\n", pad(t.Order.No, 22), pad(t.Patient, 6), pad(route(t.Wish), 12),
			pad(money.Fen(t.Wish.Amount).String(), 12), mark, pad(result, 13), path)
	}
	return nil
}

// BillTable prints every payment of the day with the way it went.
func (d *Day) BillTable(w io.Writer) error {
	fmt.Fprintf(w, "\n%s %s %s %s %s %s %s %s\n", pad("缴费单号", 18), pad("患者", 6), pad("方式", 16), pad("总额", 10), pad("医保", 10), pad("现金", 10),
		pad("结果", 12), "处理记录")
	for _, b := range d.Bills() {
		var o struct {
			Insured int64 `db:"insured"`
			Cash    int64 `db:"cash"`
		}
		path := "未受理"
		err := d.DB.NewQuery("SELECT fund + account AS insured, cash FROM payment_orders WHERE id = {:id}").Bind(dbx.Params{"id": b.ID}).One(&o)
		if err == nil {
			path, err = d.steps("payment_events", b.ID, "payment.status.")
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		mark := " "
		if b.Got != b.Want {
			mark = "✗"
		}
		fmt.Fprintf(w, "%s %s %s %s %s %s %s%s %s（%s）\n", pad(b.No, 18), pad(b.Patient, 6), pad(b.way(), 16),
			pad(money.Fen(b.Amount).String(), 10),
			pad(money.Fen(o.Insured).String(), 10), pad(money.Fen(o.Cash).String(), 10), mark,
			pad(word("payment.status.", b.Got), 11), path, b.Title)
	}
	return nil
}

// way is how a bill is paid, in words.
func (b *Bill) way() string {
	kind, by := "门诊", "自费"
	if b.Registration {
		kind = "挂号"
	}
	if b.Insured {
		by = "医保"
	}
	return i18n.Text(i18n.Default, "channel."+b.Channel) + kind + by
}

// word is a state in words, or itself where there are none.
func word(group, state string) string {
	if i18n.Has(group + state) {
		return i18n.Text(i18n.Default, group+state)
	}
	return state
}

// path is the way of an order through its states.
func (d *Day) path(t *Track) (string, error) {
	if t.Order.ID == "" {
		return "未受理（" + t.Title + "）", nil
	}
	steps, err := d.steps("refund_events", t.Order.ID, "status.")
	return steps + "（" + t.Title + "）", err
}

// steps are the states of a history, one after the other.
func (d *Day) steps(table, order, words string) (string, error) {
	var events []struct {
		From  string `db:"from"`
		To    string `db:"to"`
		Event string `db:"event"`
	}
	err := d.DB.NewQuery("SELECT `from`, `to`, event FROM " + table + " WHERE `order` = {:o} ORDER BY seq").Bind(dbx.Params{"o": order}).
		All(&events)
	if err != nil {
		return "", err
	}
	var steps []string
	for _, e := range events {
		switch {
		case strings.HasSuffix(e.Event, ".unknown"):
			steps = append(steps, "未知")
		case e.Event == "payout.held":
			steps = append(steps, "等待充值")
		case e.From != e.To:
			steps = append(steps, word(words, e.To))
		}
	}
	return strings.Join(steps, "→"), nil
}
