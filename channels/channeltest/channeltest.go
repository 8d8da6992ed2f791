// Package channeltest is the contract test of payment channels: whatever the
// other side does, a channel must not panic, must not claim anything that was
// not proved, must end in time and must keep secrets out of its errors.
package channeltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"
)

// Kit is what a channel brings to its contract test.
type Kit struct {
	// New builds the channel with every call going to base.
	New func(t testing.TB, base string) channels.Channel
	// Payouts are asked for in turn, at least one of each method.
	Payouts []refund.Payout
	// Receiver gets the message that must fail.
	Receiver channels.Account
	// Sign answers with a body (JSON) that is signed as the real side would.
	Sign func(w http.ResponseWriter, r *http.Request, body string)
	// Unsigned and Forged answer with a success of the first payout, without a
	// signature and with a wrong one.
	Unsigned, Forged http.HandlerFunc
	// Unlisted is a signed refusal with a code that nobody has listed.
	Unlisted http.HandlerFunc
	// Private must not appear in any error or reason.
	Private []string
	// Payments are asked for where the channel takes any.
	Payments Payments
}

// patience is the deadline of one call in the test, and slack what an
// implementation may take beyond it.
const (
	patience = 700 * time.Millisecond
	slack    = 2 * time.Second
)

// Run is the contract test.
func Run(t *testing.T, k Kit) {
	for name, fault := range faults(k) {
		others := name != "signed other no" // an authentic answer: only the number is wrong
		t.Run("fault/"+name, func(t *testing.T) { k.underFault(t, fault, others) })
	}
	t.Run("redirect", k.redirect)
	t.Run("refused connection", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		base := srv.URL
		srv.Close()
		k.allUnknown(t, k.New(t, base))
	})
	t.Run("dead context", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for _, p := range k.Payouts {
			k.unknown(t, "pay", k.New(t, srv.URL).Pay(ctx, p))
		}
		k.paymentsUnknown(t, ctx, k.New(t, srv.URL))
	})
	t.Run("callbacks", k.callbacks)
	t.Run("bad payouts", k.badPayouts)
	t.Run("bad payments", k.badPayments)
}

// faults are answers that prove nothing, by name.
func faults(k Kit) map[string]http.HandlerFunc {
	say := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	signed := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { k.Sign(w, r, body) }
	}
	deep := strings.Repeat(`{"a":`, 200_000) + "1" + strings.Repeat("}", 200_000)
	return map[string]http.HandlerFunc{
		"timeout":          silent,
		"reset":            func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"drip":             drip,
		"truncated":        truncated,
		"huge":             huge,
		"500":              say(500, "application/json", `{"code":"SYSTEM_ERROR","message":"x"}`),
		"502 HTML":         say(502, "text/html", "<html>Bad Gateway</html>"),
		"503 with refusal": say(503, "application/json", `{"code":"NOT_ENOUGH","message":"x"}`),
		"404 HTML":         say(404, "text/html", "<html>Not Found</html>"),
		"200 HTML":         say(200, "text/html", "<html>login</html>"),
		"200 empty":        say(200, "application/json", ""),
		"204":              say(204, "application/json", ""),
		"200 null":         say(200, "application/json", "null"),
		"200 list":         say(200, "application/json", "[]"),
		"200 deep":         say(200, "application/json", deep),
		"400 deep":         say(400, "application/json", deep),
		"400 no code":      say(400, "application/json", `{"message":"x"}`),
		"400 code number":  say(400, "application/json", `{"code":400,"message":"x"}`),
		"not UTF-8":        say(200, "application/json", "{\"code\":\"\xff\xfe\"}"),
		"unsigned":         k.Unsigned,
		"forged":           k.Forged,
		"unlisted":         k.Unlisted,
		"signed empty":     signed("{}"),
		"signed null":      signed("null"),
		"signed list":      signed("[]"),
		"signed text":      signed(`"dGV4dA=="`),
		"signed numbers": signed(`{"out_bill_no":1,"out_biz_no":1,"out_refund_no":1,"code":10000,"state":2,"status":3,` +
			`"out_trade_no":1,"trade_state":2,"trade_status":2,"mix_pay_status":3,"prepay_id":4,"code_url":5,"trade_no":6,"qr_code":7}`),
		"signed other no": signed(`{"code":"10000","out_bill_no":"X","out_refund_no":"X","out_biz_no":"X","out_request_no":"X","trade_no":"X",` +
			`"out_trade_no":"X","state":"SUCCESS","status":"SUCCESS","refund_status":"REFUND_SUCCESS","fund_change":"Y",` +
			`"trade_state":"SUCCESS","trade_status":"TRADE_SUCCESS","mix_pay_status":"MIX_PAY_SUCCESS","med_ins_pay_status":"MED_INS_PAY_SUCCESS",` +
			`"self_pay_status":"SELF_PAY_SUCCESS","total_amount":"1.00","qr_code":"X","mix_trade_no":"X","pay_url":"X","chnl_ord_sn":"X"}`),
		"signed deep": signed(deep),
	}
}

func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then a leaving client is noticed
	<-r.Context().Done()
}

func drip(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	for {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"code":"`)
}

func huge(w http.ResponseWriter, _ *http.Request) {
	block := strings.Repeat(" ", 1<<20)
	for range 64 {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
}

func (k Kit) underFault(t *testing.T, fault http.HandlerFunc, others bool) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(fault)
	srv.Config.ErrorLog = nil
	srv.Start()
	defer srv.Close()
	defer srv.CloseClientConnections()
	ch := k.New(t, srv.URL)
	k.allUnknown(t, ch)
	if others {
		k.otherPorts(t, ch)
	}
}

// allUnknown asks everything that moves or tells money.
func (k Kit) allUnknown(t *testing.T, ch channels.Channel) {
	t.Helper()
	var all sync.WaitGroup
	for _, p := range k.Payouts {
		for name, call := range map[string]func(context.Context, refund.Payout) refund.PayoutAnswer{"pay": ch.Pay, "query": ch.Query,
			"cancel": ch.Cancel} {
			all.Go(func() {
				a := k.timed(t, name, func(ctx context.Context) refund.PayoutAnswer { return call(ctx, p) })
				if name == "cancel" && a.Verdict == flow.Refused && a.Reason.Code == channels.CodeNotSupported {
					return
				}
				k.unknown(t, fmt.Sprint(name, " ", p.Method), a)
			})
		}
	}
	all.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		begin := time.Now()
		k.paymentsUnknown(t, ctx, ch)
		if d := time.Since(begin); d > patience+slack {
			t.Errorf("payments took %v with a deadline of %v", d, patience)
		}
	})
	all.Wait()
}

func (k Kit) timed(t *testing.T, name string, call func(context.Context) refund.PayoutAnswer) refund.PayoutAnswer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begin := time.Now()
	a := call(ctx)
	if d := time.Since(begin); d > patience+slack {
		t.Errorf("%s took %v with a deadline of %v", name, d, patience)
	}
	return a
}

func (k Kit) unknown(t *testing.T, name string, a refund.PayoutAnswer) {
	t.Helper()
	if a.Verdict != flow.Unknown || a.State != "" {
		t.Errorf("%s: %v %q %+v; want unknown", name, a.Verdict, a.State, a.Reason)
	}
	if a.Reason.Code == "" || a.Reason.Message == "" {
		t.Errorf("%s: unknown without a reason: %+v", name, a.Reason)
	}
	k.discreet(t, name, a.Reason.Code+a.Reason.Message)
}

func (k Kit) discreet(t *testing.T, name, text string) {
	t.Helper()
	for _, p := range k.Private {
		if strings.Contains(text, p) {
			t.Errorf("%s: private text in %q", name, text)
		}
	}
}

// otherPorts, as far as there are any, must fail with one of the package's errors.
func (k Kit) otherPorts(t *testing.T, ch channels.Channel) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	failed := map[string]error{}
	if port, err := channels.As[channels.Login](ch); err == nil {
		_, failed["exchange"] = port.Exchange(ctx, "SECRETCODE")
	}
	if port, err := channels.As[channels.Bills](ch); err == nil {
		_, failed["bill"] = port.DownloadBill(ctx, "2026-01-02", channels.BillKind(ch.Capabilities().Bills[0]), io.Discard)
	}
	if port, err := channels.As[channels.Receipts](ch); err == nil {
		_, failed["receipt"] = port.Receipt(ctx, k.Payouts[0].No, "CHANNELNO", "")
		_, failed["receipt query"] = port.Receipt(ctx, k.Payouts[0].No, "CHANNELNO", "TOKEN")
	}
	if port, err := channels.As[channels.Messenger](ch); err == nil {
		_, failed["message"] = port.SendMessage(ctx, channels.Message{To: k.Receiver, Template: "T"})
	}
	for name, err := range failed {
		if err == nil {
			t.Errorf("%s succeeded", name)
			continue
		}
		if !errors.Is(err, channels.ErrUnavailable) && !errors.Is(err, channels.ErrBadCode) {
			t.Errorf("%s: %v; want ErrUnavailable", name, err)
		}
		k.discreet(t, name, err.Error())
	}
}

// redirect: neither another place nor the same one may be followed.
func (k Kit) redirect(t *testing.T) {
	var followed atomic.Int32
	count := func(http.ResponseWriter, *http.Request) { followed.Add(1) }
	elsewhere := httptest.NewServer(http.HandlerFunc(count))
	defer elsewhere.Close()
	for _, to := range []string{elsewhere.URL + "/x", "/elsewhere", "http://169.254.169.254/"} {
		mux := http.NewServeMux()
		mux.HandleFunc("/elsewhere", count)
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
		srv := httptest.NewServer(mux)
		ch := k.New(t, srv.URL)
		k.allUnknown(t, ch)
		k.otherPorts(t, ch)
		srv.Close()
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// callbacks: nothing that is not signed may pass.
func (k Kit) callbacks(t *testing.T) {
	ch, err := channels.As[channels.Callbacks](k.New(t, "http://127.0.0.1:1"))
	if err != nil {
		return // it calls nobody back
	}
	for _, body := range []string{"", "null", "{}", "[]", `{"id":"1","resource":null}`, "sign=&sign_type=RSA2", "a=1&a=2", "%zz",
		strings.Repeat("x", 2<<20), "\xff"} {
		for _, h := range []http.Header{nil, {}, {"Wechatpay-Signature": {"WECHATPAY/SIGNTEST/x"},
			"Wechatpay-Timestamp": {fmt.Sprint(time.Now().Unix())}, "Wechatpay-Nonce": {"n"}, "Wechatpay-Serial": {"s"}}} {
			if cb, err := ch.ParseCallback(context.Background(), h, []byte(body)); !errors.Is(err, channels.ErrBadCallback) || cb.Kind != "" {
				t.Errorf("callback %.20q: %+v, %v", body, cb, err)
			}
		}
	}
	for _, err := range []error{nil, channels.ErrBadCallback, errors.New("database is locked")} {
		w := httptest.NewRecorder()
		ch.Acknowledge(w, err)
		if w.Code == 0 || strings.Contains(w.Body.String(), "database") {
			t.Errorf("acknowledge %v: %d %s", err, w.Code, w.Body)
		}
	}
}

// badPayouts must be refused without a call.
func (k Kit) badPayouts(t *testing.T) {
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer srv.Close()
	ch := k.New(t, srv.URL)
	for _, p := range k.Payouts {
		for name, spoil := range map[string]func(*refund.Payout){
			"no number":   func(p *refund.Payout) { p.No = "" },
			"bad number":  func(p *refund.Payout) { p.No = "A/../B" },
			"long number": func(p *refund.Payout) { p.No = strings.Repeat("1", 33) },
			"no amount":   func(p *refund.Payout) { p.Amount = 0 },
			"negative":    func(p *refund.Payout) { p.Amount = -5 },
			"no method":   func(p *refund.Payout) { p.Method = "" },
			"no target":   func(p *refund.Payout) { p.Payee, p.Original = refund.Payee{}, nil },
			"wrong payee": func(p *refund.Payout) { p.Payee.Type, p.Original = "bank_card", nil },
		} {
			bad := p
			spoil(&bad)
			if a := ch.Pay(context.Background(), bad); a.Verdict != flow.Refused || a.Reason.Code != channels.CodeBadPayout || a.Reason.Hold {
				t.Errorf("%s %s: %+v", p.Method, name, a)
			}
		}
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}
