package files

import (
	"encoding/csv"
	"io"
	"time"

	"hospay/calendar"
	"hospay/money"
)

// HISLine is a refund as HIS tells it, or the cash of a payment or of what went
// back of one.
type HISLine struct {
	OrderNo, HISNo, CardNo string
	Amount                 money.Fen
	Method, Channel        string
	Status                 string // succeeded, reversed, pending
	At                     time.Time
	BillNo                 string // sent to the channel; charges only
	Unread                 bool   // a field could not be read; without an amount the reader rejects this one line by its number
}

// hisColumns are those that HIS's statement is kept with. HIS knows our orders by
// their own number; the column of the channel's number stays empty.
var hisColumns = []column{colOrder, colBill, colHIS, colCard, colAmount, colMethod, colChannel, colStatus, colTime}

// HISTable writes HIS's lines as the table that ReadTable reads.
type HISTable struct{ csv *csv.Writer }

// NewHISTable begins a table with its header, of refunds or of what was paid for
// bills.
func NewHISTable(w io.Writer, charges bool) (HISTable, error) {
	t := HISTable{csv.NewWriter(w)}
	var head []string
	for _, c := range hisColumns {
		head = append(head, Options{Charges: charges}.names()[c][1])
	}
	return t, t.csv.Write(head)
}

// Write adds a line.
func (t HISTable) Write(l HISLine) error {
	cells := map[column]string{colOrder: l.OrderNo, colBill: l.BillNo, colHIS: l.HISNo, colCard: l.CardNo, colAmount: l.Amount.Yuan(),
		colMethod:  l.Method,
		colChannel: l.Channel, colStatus: l.Status}
	if l.Unread && l.Amount == 0 {
		cells[colAmount] = ""
	}
	if !l.At.IsZero() {
		cells[colTime] = l.At.In(calendar.Beijing).Format(time.DateTime)
	}
	row := make([]string, 0, len(hisColumns))
	for _, c := range hisColumns {
		row = append(row, cells[c])
	}
	return t.csv.Write(row)
}

// Flush writes what is left.
func (t HISTable) Flush() error {
	t.csv.Flush()
	return t.csv.Error()
}
