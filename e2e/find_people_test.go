package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hospay/internal/vault"
	"hospay/lab/testapp"
	"hospay/payment"
)

// clerk looks for orders as staff do in the one box of a list.
type clerk struct {
	*testapp.App
	t     *testing.T
	token string
}

// stands is what stands for a text in an address.
func (c clerk) stands(text string) string {
	c.t.Helper()
	res := c.Call("POST", "/api/hospay/find", c.token, map[string]any{"text": text})
	if res.Status != 200 || res.Text("find") == "" || strings.Contains(res.Text("find"), text) {
		c.t.Fatalf("%q: %d %s", text, res.Status, res.Raw)
	}
	return res.Text("find")
}

// found are the numbers of payments and refunds that it finds.
func (c clerk) found(find string) string {
	c.t.Helper()
	out := listed(c.t, c.App, c.token, "find="+url.QueryEscape(find))
	res := c.Call("GET", "/api/hospay/queue?find="+url.QueryEscape(find), c.token, nil)
	if res.Status != 200 {
		c.t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for _, l := range list(res.Body["items"]) {
		out = append(out, fmt.Sprint(l["no"]))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// both are the numbers of a payment and a refund of one patient.
func (c clerk) both(no, channel, phone string) string {
	c.t.Helper()
	p := newAPIPayer(c.t, c.App, no, channel)
	paid := p.ticketToDone(p.bill(payment.KindOutpatient, 4400), false)
	changes := map[string]any{}
	if phone != "" {
		changes["notify_phone"] = phone
	}
	res := c.Login(no, channel).Apply(channel, "transfer", 1200, changes)
	if res.Status != 200 {
		c.t.Fatalf("%s: %d %s", no, res.Status, res.Raw)
	}
	out := []string{paid.No, res.Text("no")}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestFind_PeopleByNameAndPhone: whoever stands at the window is found in both lists by
// name, phone or its last four digits, card, or any number, however it is typed; also
// after new keys, and in a folder of a program that knew no terms. What stands for the
// text tells nobody whom it is about, and holds in no other house.
func TestFind_PeopleByNameAndPhone(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	c := clerk{a, t, a.Staff("finance")}
	const contact = "13987654321" // of one order only
	dotted, foreign := c.both("P0005", "wechat", contact), c.both("P0014", "alipay", "")
	ms, ds := a.Sims.World.Find("P0014"), a.Sims.World.Find("P0005")
	number := strings.Fields(foreign)[0]
	want := map[string]string{
		"阿依古丽·买买提": dotted, "阿依古丽.买买提": dotted, " 阿依古丽 • 买买提 ": dotted, "阿依古丽": "",
		"MARIA SANTOS": foreign, "maria  santos": foreign, "ＭＡＲＩＡ Santos": foreign, "SANTOS MARIA": "",
		contact: dotted, "+86 139-8765-4321": dotted, "4321": dotted, ds.Phone: dotted, ms.Phone: foreign, ms.Phone[7:]: foreign,
		ms.Cards[0]: foreign, number: number, "林若溪": "", "13900000000": "", "' OR 1=1 --": "",
	}
	finds := map[string]string{}
	for text, numbers := range want {
		finds[text] = c.stands(text)
		if got := c.found(finds[text]); got != numbers {
			t.Errorf("%q finds %q, want %q", text, got, numbers)
		}
	}
	again := func(when string) {
		t.Helper()
		for text, numbers := range want {
			if got := c.found(finds[text]); got != numbers {
				t.Errorf("%s: %q finds %q, want %q", when, text, got, numbers)
			}
		}
	}
	res := a.Call("POST", "/api/hospay/find", c.token, map[string]any{"find": finds["maria  santos"]})
	if res.Text("text") != "maria  santos" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}

	if err := a.Store.Vault().Rotate(vault.Person); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Store.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	again("after new keys")

	forget(t, a)
	if got := c.found(finds[contact]); got != "" {
		t.Fatal(got)
	}
	a = a.Open(a.Backup()) // an older program's folder, opened by this one
	c.App, c.token = a, a.Staff("finance")
	if n, err := a.Jobs.RunNow(t.Context(), "search_terms"); err != nil || n < 6 {
		t.Fatal(n, err)
	}
	again("in an old folder")
	if n, err := a.Jobs.RunNow(t.Context(), "search_terms"); err != nil || n != 0 {
		t.Errorf("again: %d %v", n, err)
	}
}

// forget makes a folder one that no program has made terms in.
func forget(t *testing.T, a *testapp.App) {
	t.Helper()
	for _, sql := range []string{"DELETE FROM person_terms", "DELETE FROM _params WHERE id = 'hospay_terms'"} {
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFind_RefusesWhatItDidNotMake: nothing, too much, and what stands for nothing.
func TestFind_RefusesWhatItDidNotMake(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("auditor")
	for _, body := range []map[string]any{{}, {"text": "  "}, {"text": strings.Repeat("王", 65)}, {"find": "made up"}} {
		wantRefusal(t, fmt.Sprint(body), a.Call("POST", "/api/hospay/find", token, body), 400, "bad_request")
	}
	other, err := a.Store.SealFind("another house00", "林若溪")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"payments", "queue"} {
		for _, find := range []string{"made-up", other} {
			wantRefusal(t, path, a.Call("GET", "/api/hospay/"+path+"?find="+find, token, nil), 400, "bad_request")
		}
	}
	var clear int
	err = a.Runtime.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM person_terms WHERE LENGTH(term) != 24 OR term GLOB '*[^0-9a-f]*'").
		Row(&clear)
	if err != nil || clear != 0 {
		t.Errorf("%d %v", clear, err)
	}
}
