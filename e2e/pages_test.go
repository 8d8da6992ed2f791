package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hospay/lab/testapp"
	"hospay/refund"
)

func header(t *testing.T, address string) (int, http.Header) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header
}

func TestPages_StrictPolicyAndNoStaleHTML(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for _, path := range []string{"/", "/?ticket=x", "/nothing"} {
		status, h := header(t, a.URL+path)
		policy := h.Get("Content-Security-Policy")
		if status != 200 || h.Get("Cache-Control") != "no-cache" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %v", path, status, h)
		}
		for _, part := range strings.Split(policy, ";") {
			if strings.Contains(part, "unsafe") || strings.Contains(part, "*") {
				t.Errorf("%s: the policy allows %q", path, part)
			}
		}
		if want := "script-src 'self'" + inline(t, a.URL+path) + " https://res.wx.qq.com;"; !strings.Contains(policy, want) {
			t.Errorf("%s: policy %q, want %s", path, policy, want)
		}
	}
	for path, hashes := range map[string]int{"/": 1, "/staff/": 0, "/kiosk/": 0} {
		_, h := header(t, a.URL+path)
		got := strings.Count(h.Get("Content-Security-Policy"), "sha256-")
		if got != hashes || got != strings.Count(inline(t, a.URL+path), "sha256-") {
			t.Errorf("%s: %d scripts stand in the page by its policy", path, got)
		}
	}
}

// inline tells the scripts that stand in a page as its policy must name them.
func inline(t *testing.T, address string) (out string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(body), "<script>")[1:] {
		script, _, _ := strings.Cut(part, "</script>")
		sum := sha256.Sum256([]byte(script))
		out += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return out
}

func TestEntry_LinksLeadBackToTheInstitutionOnly(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	res := a.Call("GET", "/api/hospay/auth/links?state=0123456789abcdef&redirect_uri=https://evil.example/&institution=demo", "", nil)
	links, _ := res.Body["links"].([]any)
	if res.Status != 200 || len(links) != 2 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for _, l := range links {
		link := l.(map[string]any)
		u, err := url.Parse(link["url"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Query().Get("redirect_uri"); got != a.URL+"/" {
			t.Errorf("%v leads back to %s", link["channel"], got)
		}
		if u.Query().Get("state") != "0123456789abcdef" {
			t.Errorf("%v lost the state: %s", link["channel"], u)
		}
	}
	for _, state := range []string{"", "short", "with space and more", strings.Repeat("a", 200), "<script>0123456789"} {
		wantRefusal(t, state, a.Call("GET", "/api/hospay/auth/links?state="+url.QueryEscape(state), "", nil), 400, "bad_request")
	}
	wantRefusal(t, "别的机构", a.Call("GET", "/api/hospay/auth/links?state=0123456789abcdef&institution=other", "", nil), 400, "institution_off")
}

func TestWeChat_PagesAreSignedForOurOwnAddressOnly(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	ask := func(page string) testapp.Answer {
		return a.Call("GET", "/api/hospay/wechat/signature?url="+url.QueryEscape(page), p.Token, nil)
	}
	res := ask(a.URL + "/#/records")
	if res.Status != 200 || len(res.Text("signature")) != 40 || res.Text("app_id") == "" || res.Text("nonce") == "" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for _, page := range []string{"", "https://evil.example/", a.URL + ".evil.example/", "javascript:1"} {
		wantRefusal(t, page, ask(page), 400, "bad_request")
	}
}

func TestStatus_TellsTheStateToWhoKnowsNumberAndID(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 1200, nil)
	no := a.Order(id).Order.No
	who := a.Sims.World.Find("P0001")
	ask := func(no, tail string) testapp.Answer {
		return a.Call("POST", "/api/hospay/status", "", map[string]any{"no": no, "id_tail": tail})
	}
	res := ask(" "+strings.ToLower(no), strings.ToLower(who.IDNo[14:]))
	if res.Status != 200 || res.Text("status") != string(refund.StatusSubmitted) || res.Text("text") == "" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for k := range res.Body {
		if !strings.Contains("no status text next updated", k) {
			t.Errorf("the answer tells %s", k)
		}
	}
	wantRefusal(t, "没有这个单号", ask("R20260101NOTHING", who.IDNo[14:]), 404, "status_not_found")
	wantRefusal(t, "空", ask("", ""), 404, "status_not_found")
	for range 5 {
		wantRefusal(t, "后四位不对", ask(no, "0000"), 404, "status_not_found")
	}
	wantRefusal(t, "猜了五次以后", ask(no, who.IDNo[14:]), 429, "too_many_tries")
	other := apply(t, a.Login("P0002", "wechat"), "wechat", "transfer", 1200, nil)
	if res := ask(a.Order(other).Order.No, a.Sims.World.Find("P0002").IDNo[14:]); res.Status != 200 {
		t.Errorf("another order is blocked, too: %d %s", res.Status, res.Raw)
	}
}

func TestCheck_PatientAsksForTheOutcomeNow(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 1200, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	if err := a.Sims.WeChat.Confirm(a.Order(id).Transfer.No); err != nil {
		t.Fatal(err)
	}
	if res := a.Call("POST", "/api/hospay/refunds/"+id+"/check", p.Token, nil); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	if res := a.Call("POST", "/api/hospay/refunds/"+id+"/check", p.Token, nil); res.Status != 200 || res.Text("status") != "succeeded" {
		t.Errorf("after the end: %d %s", res.Status, res.Raw)
	}
}

// TestStatus_GuessesAtOnceDoNotPassTheLimit sends more guesses together than
// one may have wrong.
func TestStatus_GuessesAtOnceDoNotPassTheLimit(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	no := a.Order(apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 1200, nil)).Order.No
	guess := func() testapp.Answer {
		return a.Call("POST", "/api/hospay/status", "", map[string]any{"no": no, "id_tail": "0000"})
	}
	judged := 0
	for _, res := range atOnce(guess, guess, guess, guess, guess, guess, guess, guess, guess, guess) {
		if res.Status == 404 {
			judged++
		}
	}
	if judged != 5 {
		t.Errorf("%d guesses were judged", judged)
	}
}

// overtaken is a store that lets something happen before an order is read.
type overtaken struct {
	refund.Store
	before func(id string)
}

// Get implements refund.Store.
func (s *overtaken) Get(ctx context.Context, id string) (refund.Work, error) {
	if before := s.before; before != nil {
		s.before = nil
		before(id)
	}
	return s.Store.Get(ctx, id)
}

// TestCheck_CallbackComesFirst: the channel tells the outcome in the moment in
// which the patient asks for it; the patient is told it, not a conflict.
func TestCheck_CallbackComesFirst(t *testing.T) {
	s := &overtaken{}
	a := testapp.New(t, testapp.Config{Wrap: func(kept refund.Store) refund.Store { s.Store = kept; return s }})
	p := a.Login("P0001", "wechat")
	w := awaiting(t, a, p)
	s.before = func(id string) {
		if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
			t.Error(err)
		}
		wantStatus(t, a, id, refund.StatusSucceeded)
	}
	if res := a.Call("POST", "/api/hospay/refunds/"+w.Order.ID+"/check", p.Token, nil); res.Status != 200 ||
		res.Text("status") != "succeeded" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

func TestOptions_SuggestsForAnAmountAndAChannel(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0002", "wechat")
	ask := func(query string) testapp.Answer {
		return a.Call("GET", "/api/hospay/options?card_no="+p.Card+query, p.Token, nil)
	}
	all := ask("")
	if all.Status != 200 {
		t.Fatalf("%d %s", all.Status, all.Raw)
	}
	for _, prefer := range []string{"wechat", "alipay"} {
		for _, amount := range []string{"1234", "100001", ""} {
			query := "&prefer=" + prefer
			want := int64(all.Body["refundable"].(float64))
			if amount != "" {
				query += "&amount=" + amount
				want = map[string]int64{"1234": 1234, "100001": 100001}[amount]
			}
			res := ask(query)
			s, _ := res.Body["suggestion"].(map[string]any)
			routes, _ := s["routes"].([]any)
			sum := int64(s["left"].(float64))
			for _, r := range routes {
				route := r.(map[string]any)
				sum += int64(route["amount"].(float64))
				if route["method"] == "transfer" && route["channel"] != prefer {
					t.Errorf("%s: transfer through %v", query, route["channel"])
				}
			}
			if sum != want || len(routes) == 0 {
				t.Errorf("%s: %d routes sum to %d, want %d", query, len(routes), sum, want)
			}
		}
	}
	for _, bad := range []string{"0", "-1", "1.5", "abc", "99999999999"} {
		wantRefusal(t, bad, ask("&amount="+bad), 400, "amount_invalid")
	}
}
