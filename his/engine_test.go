package his_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/his"
	"hospay/money"
	"hospay/refund"

	"pgregory.net/rapid"
)

// flat is an answer whose paths are plain keys; rows are under any list path.
type flat struct {
	fields map[string]string
	rows   []his.Document
	noList bool
}

// Text returns a field.
func (f flat) Text(path string) string { return f.fields[path] }

// List returns the rows.
func (f flat) List(string) ([]his.Document, bool) { return f.rows, !f.noList }

func demo(t testing.TB, change func(*his.Mapping)) his.Mapping {
	t.Helper()
	raw, err := os.ReadFile("samples/rest.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := his.ParseMapping(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&m)
	}
	return m
}

func engine(m his.Mapping, answer func(his.Operation, map[string]string) (his.Document, error)) *his.Engine {
	now := func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }
	return his.NewEngine(his.Config{Now: now}, m, func(_ context.Context, op his.Operation, v map[string]string) (his.Document, error) {
		return answer(op, v)
	})
}

var deb = refund.Debit{No: "H1", OrderNo: "R1", CardNo: "C1", Amount: 5, Method: refund.MethodTransfer, Channel: "wechat", DebitNo: "H1"}

// Only listed codes are refusals, only listed codes are success: everything
// else leaves the outcome open, whatever the rest of the answer says.
func TestUnlistedCodeIsNeverRefused(t *testing.T) {
	m := demo(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{0,6}`),
			rapid.SampledFrom([]string{" 1004", "1004 ", "01004", "1004.0", "", "OK", "00", "0 "})).Draw(t, "code")
		_, listed := m.Refused[code]
		if listed || slices.Contains(m.Done, code) || slices.Contains(m.NotFound, code) {
			return
		}
		doc := flat{fields: map[string]string{"code": code, "message": rapid.String().Draw(t, "message"), "data.our_no": "H1",
			"data.his_refund_no": "1",
			"data.amount":        "5", "data.card_no": "C1", "data.status": "done", "data.his_reverse_no": "2"}}
		e := engine(m, func(his.Operation, map[string]string) (his.Document, error) { return doc, nil })
		for _, ans := range []refund.HISAnswer{e.Debit(t.Context(), deb), e.QueryDebit(t.Context(), deb), e.Reverse(t.Context(), deb),
			e.QueryReverse(t.Context(), deb)} {
			if ans.Verdict != flow.Unknown || ans.State != "" {
				t.Fatalf("code %q: %+v", code, ans)
			}
		}
	})
}

// A refused or unknown query is not a fact about the money, and a code that
// means "not found" to a query means nothing to a call that moves money.
func TestQueriesAndMovesReadCodesTheirOwnWay(t *testing.T) {
	say := func(code string) *his.Engine {
		return engine(demo(t, nil), func(his.Operation, map[string]string) (his.Document, error) {
			return flat{fields: map[string]string{"code": code}}, nil
		})
	}
	if ans := say("1004").QueryDebit(t.Context(), deb); ans.Verdict != flow.Unknown {
		t.Errorf("%+v", ans)
	}
	if ans := say("1007").QueryReverse(t.Context(), deb); ans.Verdict != flow.Done || ans.State != refund.HISNotFound {
		t.Errorf("%+v", ans)
	}
	if ans := say("1007").Debit(t.Context(), deb); ans.Verdict != flow.Unknown {
		t.Errorf("%+v", ans)
	}
	missing := demo(t, func(m *his.Mapping) { delete(m.Operations, his.OpQueryDebit) })
	if ans := engine(missing, nil).QueryDebit(t.Context(), deb); ans.Verdict != flow.Unknown || ans.Reason.Actor != flow.ActorIT {
		t.Errorf("%+v", ans)
	}
}

func TestPendingAndOwnWords(t *testing.T) {
	m := demo(t, func(m *his.Mapping) {
		op := m.Operations[his.OpDebit]
		op.Pending, op.Send = []string{"processing"}, map[string]string{"wechat": "WX", "transfer": "02"}
		m.Operations[his.OpDebit] = op
	})
	sent := map[string]string{}
	e := engine(m, func(_ his.Operation, v map[string]string) (his.Document, error) {
		sent = v
		return flat{fields: map[string]string{"code": "0", "data.our_no": "H1", "data.status": "processing"}}, nil
	})
	if ans := e.Debit(t.Context(), deb); ans.Verdict != flow.Done || ans.State != refund.HISPending || sent["channel"] != "WX" ||
		sent["method"] != "02" || len(sent["now"]) != 19 {
		t.Errorf("%+v %v", ans, sent)
	}
}

func TestReasonsHoldNothingPersonal(t *testing.T) {
	e := engine(demo(t, nil), func(his.Operation, map[string]string) (his.Document, error) {
		return flat{fields: map[string]string{"code": "1004", "message": "患者：测试甲乙，证件号:11010119900101123X 卡 6222021234567890 余额不足\n" +
			strings.Repeat("长", 200)}}, nil
	})
	ans := e.Debit(t.Context(), deb)
	if ans.Verdict != flow.Refused || ans.Reason.Code != "over_balance" || ans.Reason.Actor != flow.ActorPatient ||
		!strings.Contains(ans.Reason.Message, "余额不足") {
		t.Errorf("%+v", ans)
	}
	for _, p := range []string{"测试甲乙", "11010119900101123", "6222021234567890", "\n"} {
		if strings.Contains(ans.Reason.Message, p) || len([]rune(ans.Reason.Message)) > 100 {
			t.Errorf("%q in %q", p, ans.Reason.Message)
		}
	}
}

func row(no int) his.Document {
	return flat{fields: map[string]string{"our_no": fmt.Sprint("H", no), "amount": fmt.Sprint(no)}}
}

// pages serves a statement of n rows in pages of size; quirk changes answers.
func pages(n, size int, total bool, quirk func(page int, f *flat)) func(his.Operation, map[string]string) (his.Document, error) {
	return func(_ his.Operation, v map[string]string) (his.Document, error) {
		page := 0
		_, _ = fmt.Sscan(v["page"], &page)
		f := flat{fields: map[string]string{"code": "0", "data.date": v["date"]}}
		if total {
			f.fields["data.total"] = fmt.Sprint(n)
		}
		for i := (page - 1) * size; i < min(page*size, n); i++ {
			f.rows = append(f.rows, row(i+1))
		}
		if quirk != nil {
			quirk(page, &f)
		}
		return f, nil
	}
}

func TestStatement(t *testing.T) {
	plain := func(m *his.Mapping) {
		op := m.Operations[his.OpStatement]
		op.Total, op.Empty = "", []string{"100"}
		m.Operations[his.OpStatement] = op
	}
	onePage := func(m *his.Mapping) {
		plain(m)
		op := m.Operations[his.OpStatement]
		op.Body = `{"date":"{date}"}`
		m.Operations[his.OpStatement] = op
	}
	for name, c := range map[string]struct {
		change func(*his.Mapping)
		answer func(his.Operation, map[string]string) (his.Document, error)
		lines  int
		fails  bool
	}{
		"total, short pages":     {nil, pages(7, 3, true, nil), 7, false},
		"total, nothing":         {nil, pages(0, 3, true, nil), 0, false},
		"total, exact":           {nil, pages(6, 3, true, nil), 6, false},
		"total missing":          {nil, pages(7, 3, false, nil), 0, true},
		"total too large":        {nil, pages(7, 3, true, func(_ int, f *flat) { f.fields["data.total"] = "9" }), 0, true},
		"total too small":        {nil, pages(7, 3, true, func(_ int, f *flat) { f.fields["data.total"] = "5" }), 0, true},
		"total in words":         {nil, pages(7, 3, true, func(_ int, f *flat) { f.fields["data.total"] = "七" }), 0, true},
		"no total":               {plain, pages(7, 3, false, nil), 7, false},
		"no total, no data code": {plain, pages(7, 3, false, func(p int, f *flat) { noData(f) }), 7, false},
		"no total, end is a fault": {plain, pages(7, 3, false, func(p int, f *flat) {
			f.fields["code"] = map[bool]string{true: "9999", false: "0"}[p > 3]
		}), 0, true},
		"same page again": {plain, func(o his.Operation, v map[string]string) (his.Document, error) {
			v["page"] = "1"
			return pages(7, 3, false, nil)(o, v)
		}, 0, true},
		"no paging": {onePage, func(o his.Operation, v map[string]string) (his.Document, error) {
			v["page"] = "1"
			return pages(7, 9, false, nil)(o, v)
		}, 7, false},
		"no list":            {plain, pages(7, 3, false, func(_ int, f *flat) { f.noList = true }), 0, true},
		"other day":          {plain, pages(7, 3, false, func(_ int, f *flat) { f.fields["data.date"] = "2026-11-22" }), 0, true},
		"row without amount": {plain, pages(7, 3, false, func(_ int, f *flat) { f.rows = append(f.rows, flat{}) }), 0, true},
		"broken on page 2":   {plain, func(o his.Operation, v map[string]string) (his.Document, error) { return broken(o, v) }, 0, true},
	} {
		n := 0
		err := engine(demo(t, c.change), c.answer).Statement(t.Context(), "2026-11-23", func(refund.StatementLine) error { n++; return nil })
		if c.fails && flow.CodeOf(err) != flow.CodeHISUnavailable || !c.fails && (err != nil || n != c.lines) {
			t.Errorf("%s: %d lines, %v", name, n, err)
		}
	}
}

func noData(f *flat) {
	if len(f.rows) == 0 {
		f.fields["code"] = "100"
	}
}

func broken(o his.Operation, v map[string]string) (his.Document, error) {
	if v["page"] == "2" {
		return nil, errors.New("his: no answer in time")
	}
	return pages(7, 3, false, nil)(o, v)
}

// Amounts survive the unit of the wire exactly, in both directions.
func TestUnits(t *testing.T) {
	for _, unit := range []string{"yuan", "fen"} {
		m := demo(t, func(m *his.Mapping) { m.Unit = unit })
		rapid.Check(t, func(t *rapid.T) {
			d := deb
			d.Amount = money.Fen(rapid.Int64Range(1, 9_999_999_999).Draw(t, "fen"))
			e := engine(m, func(_ his.Operation, v map[string]string) (his.Document, error) {
				if want := map[string]string{"yuan": d.Amount.Yuan(), "fen": fmt.Sprint(int64(d.Amount))}[unit]; v["amount"] != want {
					t.Fatalf("sent %s, want %s", v["amount"], want)
				}
				return flat{fields: map[string]string{"code": "0", "data.our_no": "H1", "data.his_refund_no": "1", "data.amount": v["amount"],
					"data.card_no": "C1", "data.status": "done"}}, nil
			})
			if ans := e.Debit(t.Context(), d); ans.Verdict != flow.Done || ans.Amount != d.Amount {
				t.Fatalf("%+v", ans)
			}
		})
	}
}
