package files

import (
	"bytes"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/reconcile"
)

// TestHISTable_IsReadAsItWasWritten: the statement that the job keeps is the
// table that a person may bring.
func TestHISTable_IsReadAsItWasWritten(t *testing.T) {
	at := time.Date(2026, 11, 23, 23, 59, 58, 0, calendar.Beijing)
	var b bytes.Buffer
	table, err := NewHISTable(&b, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []HISLine{
		{OrderNo: "R1", HISNo: "H,1", CardNo: "0012", Amount: 123_450, Method: "transfer", Channel: "wechat", Status: "succeeded", At: at.UTC()},
		{OrderNo: "R2", HISNo: `H"2`, CardNo: "0013", Amount: 1, Method: "original", Channel: "alipay", Status: "reversed", At: at},
		{OrderNo: "R3", HISNo: "H3", CardNo: "0014", Channel: "wechat", Method: "transfer", Status: "succeeded", At: at, Unread: true},
	} {
		if err := table.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	var lines []reconcile.Line
	var rejects []Reject
	info, err := ReadTable(File{Name: "his.csv", Data: bytes.NewReader(b.Bytes()), Size: int64(b.Len())}, reconcile.HIS, "2026-11-23", Sink{
		Line:   func(l *reconcile.Line) error { lines = append(lines, *l); return nil },
		Reject: func(r Reject) error { rejects = append(rejects, r); return nil },
	})
	if err != nil || info.Lines != 3 || len(lines) != 2 || len(rejects) != 1 {
		t.Fatalf("%+v, %d lines, %+v, %v", info, len(lines), rejects, err)
	}
	for i, want := range []reconcile.Line{
		{OrderNo: "R1", HISNo: "H,1", CardNo: "0012", Amount: 123_450, Method: "transfer", Channel: "wechat", Status: reconcile.Succeeded},
		{OrderNo: "R2", HISNo: `H"2`, CardNo: "0013", Amount: 1, Method: "original", Channel: "alipay", Status: lines[1].Status},
	} {
		got := lines[i]
		if got.OrderNo != want.OrderNo || got.HISNo != want.HISNo || got.CardNo != want.CardNo || got.Amount != want.Amount ||
			got.Method != want.Method || got.Channel != want.Channel || got.Status != want.Status || got.At != at.Unix() {
			t.Errorf("read %+v, want %+v", got, want)
		}
	}
	if lines[1].Status == reconcile.Succeeded {
		t.Error("a reversal is read as a success")
	}
}
