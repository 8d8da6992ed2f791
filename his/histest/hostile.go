package histest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/flow"
	"hospay/refund"
)

// slack is what an adapter may take beyond its patience.
const slack = 2 * time.Second

// private must not come out in an error or a reason.
var private = []string{"测试甲乙", "110101199001011234", "13900001234", "demo-his-password", "demo-his-secret"}

var asked = refund.Debit{No: "H1", OrderNo: "RH1", CardNo: "C0001", Amount: 12_345, Method: refund.MethodTransfer, Channel: "wechat",
	DebitNo: "H1", HISNo: "HT1"}

// good are the fields of an answer that proves the debit.
func (k Kit) good() map[string]string {
	return map[string]string{
		"code": k.Success, "message": "成功", "our_no": "H1", "his_refund_no": "HT1", "his_reverse_no": "HC1", "card_no": "C0001",
		"amount": k.Amount(12_345), "status": "done", "time": "2026-11-23 10:00:00",
		"bill_no": "B1", "receipt_no": "R1", "reverse_no": "V1", "cancel_bill_no": "Y1", "cancel_serial_no": "Z1", "refund_no": "RF1",
		"his_no": "N1", "insurance_flag": "SUCCESS", "settle_flag": "SUCCESS", "allowed": "1",
	}
}

// with returns the good answer with some fields changed; "-" takes one out.
func (k Kit) with(pairs ...string) map[string]string {
	f := maps.Clone(k.good())
	for i := 0; i < len(pairs); i += 2 {
		f[pairs[i]] = pairs[i+1]
		if pairs[i+1] == "-" {
			delete(f, pairs[i])
		}
	}
	return f
}

// say answers every call with one body.
func say(status int, contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

func (k Kit) answers(fields map[string]string) http.HandlerFunc {
	ctype, body := k.Answer(fields)
	return say(200, ctype, body)
}

// worthless are answers that prove nothing to any call that moves money.
func (k Kit) worthless() map[string]http.HandlerFunc {
	ctype, body := k.Answer(k.good())
	long := strings.Repeat("1", 65)
	out := map[string]http.HandlerFunc{
		"500 with success": say(500, ctype, body), "201 with success": say(201, ctype, body), "401 with success": say(401, ctype, body),
		"302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"HTML": say(200, "text/html", []byte("<!DOCTYPE html><html><body>维护中<br></body></html>")), "empty": say(200, ctype, nil),
		"204":      say(204, ctype, nil),
		"only BOM": say(200, ctype, []byte("\xef\xbb\xbf")), "NULs": say(200, ctype, make([]byte, 4096)),
		"reset":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silence":         func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"drip":            drip(body),
		"huge":            huge,
		"not HTTP":        notHTTP,
		"no code":         k.answers(k.with("code", "-")),
		"empty code":      k.answers(k.with("code", "")),
		"unlisted code":   k.answers(k.with("code", "8765", "message", "患者：测试甲乙，电话13900001234")),
		"name as code":    k.answers(k.with("code", "测试甲乙")),
		"ID as code":      k.answers(k.with("code", "110101199001011234")),
		"code in blanks":  k.answers(k.with("code", "10 04")),
		"long code":       k.answers(k.with("code", strings.Repeat("9", 500))),
		"no amount":       k.answers(k.with("amount", "-")),
		"empty amount":    k.answers(k.with("amount", "")),
		"amount 0":        k.answers(k.with("amount", k.Amount(0))),
		"amount in words": k.answers(k.with("amount", "壹佰")),
		"amount NaN":      k.answers(k.with("amount", "NaN")),
		"amount 1e99":     k.answers(k.with("amount", "1.2345e99")),
		"amount half fen": k.answers(k.with("amount", "123.455")),
		"amount too big":  k.answers(k.with("amount", strings.Repeat("9", 40))),
		"no HIS number":   k.answers(k.with("his_refund_no", "-", "his_reverse_no", "-", "receipt_no", "-", "reverse_no", "-", "his_no", "-")),
		"long HIS number": k.answers(k.with("his_refund_no", long, "his_reverse_no", long, "receipt_no", long, "reverse_no", long,
			"his_no", long)),
		"other number": k.answers(k.with("our_no", "H2")),
		"no number":    k.answers(k.with("our_no", "-")),
		"no status":    k.answers(k.with("status", "-")),
		"other status": k.answers(k.with("status", "测试甲乙")),
	}
	for n := 1; n < len(body); n += max(1, len(body)/23) {
		out[fmt.Sprintf("truncated at %d", n)] = say(200, ctype, body[:n])
		out[fmt.Sprintf("cut off at %d", n)] = cut(ctype, body, n)
	}
	for name, text := range k.Hostile {
		out["own "+name] = say(200, ctype, []byte(text))
	}
	return out
}

func (k Kit) hostile(t *testing.T) {
	for name, answer := range k.worthless() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := k.New(t, serve(t, answer))
			calls(t, h, func(what string, ans refund.HISAnswer) {
				wantUnknown(t, what, ans)
				discreet(t, ans.Reason.Code+" "+ans.Reason.Message)
			})
		})
	}
	t.Run("good", func(t *testing.T) {
		h := k.New(t, serve(t, k.answers(k.good())))
		calls(t, h, func(what string, ans refund.HISAnswer) {
			if ans.Verdict != flow.Done || ans.Amount != asked.Amount {
				t.Errorf("%s: %+v", what, ans)
			}
		})
	})
	for name, fields := range map[string]map[string]string{"other card": k.with("card_no", "C0002"),
		"other amount": k.with("amount", k.Amount(12_346))} {
		t.Run(name, func(t *testing.T) { k.otherMoney(t, name, k.New(t, serve(t, k.answers(fields)))) })
	}
}

// otherMoney: an answer about other money is unknown where money moves, and
// never passes for ours in a query: the domain sees the difference and freezes.
func (k Kit) otherMoney(t *testing.T, name string, h refund.HIS) {
	wantUnknown(t, "debit", h.Debit(t.Context(), asked))
	if ans := h.QueryDebit(t.Context(), asked); ans.Verdict == flow.Done && ans.Amount == asked.Amount && ans.CardNo == asked.CardNo {
		t.Errorf("%s: %+v", name, ans)
	}
	if name == "other amount" {
		wantUnknown(t, "reverse", h.Reverse(t.Context(), asked))
	}
}

// calls makes the four calls about money and checks that each ends in time.
func calls(t *testing.T, h refund.HIS, check func(string, refund.HISAnswer)) {
	t.Helper()
	for what, call := range map[string]func() refund.HISAnswer{
		"debit": func() refund.HISAnswer { return h.Debit(t.Context(), asked) }, "query_debit": func() refund.HISAnswer {
			return h.QueryDebit(t.Context(), asked)
		},
		"reverse": func() refund.HISAnswer { return h.Reverse(t.Context(), asked) }, "query_reverse": func() refund.HISAnswer {
			return h.QueryReverse(t.Context(), asked)
		},
	} {
		start := time.Now()
		check(what, call())
		if took := time.Since(start); took > Patience+slack {
			t.Errorf("%s took %s", what, took)
		}
	}
}

// hostileRecords: nothing that is not a proper answer passes for a person, a
// card or the end of a statement.
func (k Kit) hostileRecords(t *testing.T) {
	for name, answer := range k.worthless() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := k.New(t, serve(t, answer))
			_, err := h.Person(t.Context(), refund.Identity{PatientNo: "P0001", IDNo: "110101199001011234", Name: "测试甲乙"})
			k.mustFail(t, "person", err)
			_, err = h.Cards(t.Context(), refund.Person{PatientNo: "P0001", Name: "测试甲乙"})
			k.mustFail(t, "cards", err)
			_, err = h.Card(t.Context(), "C0001")
			k.mustFail(t, "card", err)
			k.mustFail(t, "statement", h.Statement(t.Context(), "2026-11-23", func(refund.StatementLine) error { return nil }))
		})
	}
	t.Run("other card", func(t *testing.T) {
		_, err := k.New(t, serve(t, k.answers(k.with("card_no", "C0002", "balance", k.Amount(5), "refundable", k.Amount(5))))).
			Card(t.Context(), "C0001")
		k.mustFail(t, "card", err)
	})
	t.Run("other person", func(t *testing.T) {
		answer := k.with("patient_id", "P0002", "name", "测试甲乙", "id_no", "110101199001011234")
		_, err := k.New(t, serve(t, k.answers(answer))).Person(t.Context(), refund.Identity{PatientNo: "P0001"})
		k.mustFail(t, "person", err)
	})
}

func (k Kit) mustFail(t *testing.T, what string, err error) {
	t.Helper()
	if flow.CodeOf(err) != flow.CodeHISUnavailable {
		t.Errorf("%s: %v, want his_unavailable", what, err)
		return
	}
	discreet(t, err.Error())
}

func discreet(t *testing.T, text string) {
	t.Helper()
	for _, p := range private {
		if strings.Contains(text, p) {
			t.Errorf("%q gives away %q", text, p)
		}
	}
}

// transport: redirects are not followed, dead servers are unknown, and many
// calls at once do not mix.
func (k Kit) transport(t *testing.T) {
	var strayed atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { strayed.Add(1) })
	h := k.New(t, serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusPermanentRedirect) }))
	wantUnknown(t, "redirect", h.Debit(t.Context(), asked))
	if strayed.Load() != 0 {
		t.Error("a redirect was followed")
	}
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	wantUnknown(t, "dead server", k.New(t, dead.URL).Debit(t.Context(), asked))
	s := simulator(t)
	shared := k.New(t, s.URL())
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			d := debit(fmt.Sprintf("M%d", i), fmt.Sprintf("C%04d", i%20+1), 1)
			switch ans := shared.Debit(t.Context(), d); {
			case ans.Verdict == flow.Unknown && ans.CardNo == "": // a busy machine answers some of them late
			case ans.Verdict != flow.Done || ans.CardNo != d.CardNo:
				t.Errorf("%+v", ans)
			}
		})
	}
	wg.Wait()
	d := debit("M41", "C0001", 1)
	if ans := shared.Debit(t.Context(), d); ans.Verdict != flow.Done || ans.CardNo != d.CardNo {
		t.Errorf("%+v", ans)
	}
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the client go
		h(w, r)
	}))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

// cut promises a whole body and ends after n bytes.
func cut(ctype string, body []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", ctype)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:n])
		panic(http.ErrAbortHandler)
	}
}

// drip sends a good answer too slowly.
func drip(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, b := range body {
			if _, err := w.Write([]byte{b}); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

// huge never ends.
func huge(w http.ResponseWriter, r *http.Request) {
	block := []byte(strings.Repeat(" ", 64<<10))
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// notHTTP puts personal data where the status line should be.
func notHTTP(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("测试甲乙 13900001234\r\n\r\n"))
	_ = conn.Close()
}
