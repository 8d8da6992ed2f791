package demo

import (
	"context"
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
	fmt.Fprintf(w, "\n%s %s %s %s %s %s\n", pad("退款单号", 22), pad("患者", 6), pad("方式", 12), pad("金额", 12), pad("结果", 14), "经过")
	for _, t := range d.Tracks() {
		path, err := d.path(t)
		if err != nil {
			return err
		}
		result := t.Got
		if i18n.Has("status." + t.Got) {
			result = i18n.Text(i18n.Default, "status."+t.Got)
		}
		mark := " "
		if t.Got != t.Want {
			mark = "✗"
		}
		fmt.Fprintf(w, "%s %s %s %s %s%s %s\n", pad(t.Order.No, 22), pad(t.Patient, 6), pad(route(t.Wish), 12),
			pad(money.Fen(t.Wish.Amount).String(), 12), mark, pad(result, 13), path)
	}
	return nil
}

// path is the way of an order through its states.
func (d *Day) path(t *Track) (string, error) {
	if t.Order.ID == "" {
		return "未受理（" + t.Title + "）", nil
	}
	var events []struct {
		From  string `db:"from"`
		To    string `db:"to"`
		Event string `db:"event"`
	}
	err := d.DB.NewQuery("SELECT `from`, `to`, event FROM refund_events WHERE `order` = {:o} ORDER BY seq").Bind(dbx.Params{"o": t.Order.ID}).
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
			steps = append(steps, i18n.Text(i18n.Default, "status."+e.To))
		}
	}
	return strings.Join(steps, "→") + "（" + t.Title + "）", nil
}
