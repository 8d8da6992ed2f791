package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"

	"github.com/pocketbase/dbx"
)

// aviary is a program full of values that must not be found again.
type aviary struct {
	*house
	t      *testing.T
	book   *logBook
	values map[string]string
}

func (a *aviary) keep(what, value string) {
	a.t.Helper()
	if value == "" {
		a.t.Errorf("%s is not known", what)
	}
	a.values[what] = value
}

// TestCanary_NothingSealedIsFoundAgain brings made-up people, their tokens and
// the keys of all sides in by the normal ways, plays two days with faults, and
// looks for 500 of these values through every answer to everybody, the logs, and
// every byte of the data folder with its backups, bills, exports and databases,
// unpacked.
func TestCanary_NothingSealedIsFoundAgain(t *testing.T) {
	book := &logBook{}
	h := newHouse(t, testapp.Config{Patients: 80, Log: slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	a := &aviary{house: h, t: t, book: book, values: map[string]string{}}
	a.sides()
	a.staff()
	a.patients(72)
	a.proxies()
	a.payments()
	a.books()
	if len(a.values) < 500 {
		t.Errorf("only %d canaries", len(a.values))
	}
	find := newFinder(a.values)
	a.answers(find)
	a.acts(find)
	a.disk(find)
}

// sides keeps the secrets that hospitals get from the other sides.
func (a *aviary) sides() {
	secret := regexp.MustCompile(`(?i)secret|private|v3_key|aes_key|_token|password|vendor_key`)
	for _, side := range a.Sims.Running {
		res := must(http.Get(side.URL() + "/_sim/config"))
		var config any
		err := json.NewDecoder(res.Body).Decode(&config)
		res.Body.Close()
		if err != nil {
			a.t.Fatal(err)
		}
		for path, value := range texts(config, side.Title) {
			if !secret.MatchString(path) || len(value) < 8 {
				continue
			}
			if strings.Contains(value, "-----BEGIN") {
				lines := strings.Split(strings.TrimSpace(value), "\n")
				value = lines[len(lines)/2]
			}
			a.keep(path, value)
		}
	}
}

// texts are the texts of an answer, by their path.
func texts(v any, path string) map[string]string {
	out := map[string]string{}
	switch v := v.(type) {
	case string:
		out[path] = v
	case map[string]any:
		for k, inner := range v {
			maps.Copy(out, texts(inner, path+" "+k))
		}
	}
	return out
}

// staff logs in with two steps and wrongly.
func (a *aviary) staff() {
	a.keep("password", demo.Password)
	for name, token := range a.tokens {
		if token != "" {
			a.keep("token of "+name, token)
		}
	}
	askForCodes(a.t, a.App)
	secret, recovery, token := enrol(a.t, a.App, "cashier")
	a.keep("TOTP secret", secret)
	a.keep("token after two steps", token)
	for i, code := range recovery {
		a.keep(fmt.Sprint("recovery code ", i), code)
	}
	set(a.t, a.App, collections.Institutions, `code = "demo"`, map[string]any{"second_factor": "off"})
	a.keep("wrong password", "Wrong-canary-77131")
	password(a.App, "auditor", a.values["wrong password"])
	a.Call("POST", "/api/hospay/auth/wechat", "", map[string]any{"code": "wrong-canary-code-5512"})
	a.keep("OAuth code", "wrong-canary-code-5512")
}

// patients come in, apply, and are paid or not.
func (a *aviary) patients(n int) {
	for _, core := range []*sim.Core{a.Sims.WeChat.Core, a.Sims.Alipay.Core} {
		if err := core.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "transfer", Fault: sim.UnknownCode, Times: 2},
			{Match: "query", Fault: sim.BadSignature, Times: 2}, {Match: "callback", Fault: sim.ForgedCallback, Times: 2}}}); err != nil {
			a.t.Fatal(err)
		}
	}
	var orders []string
	for i := range n {
		no, via := fmt.Sprintf("P%04d", i+1), []string{"wechat", "alipay"}[i%2]
		who := a.Sims.World.Find(no)
		ticket := must(a.Sims.Portal.Ticket(no, via)).Ticket
		res := a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": ticket})
		token := res.Text("token")
		if token == "" {
			a.t.Fatalf("%s: %d %s", no, res.Status, res.Raw)
		}
		for what, value := range map[string]string{"name": who.Name, "ID number": who.IDNo, "phone": who.Phone, "ticket": ticket,
			"token": token} {
			a.keep(no+" "+what, value)
		}
		if via == "wechat" {
			a.keep(no+" openid", who.Openid)
		} else {
			a.keep(no+" Alipay user", who.AlipayUserID)
			a.keep(no+" Alipay account", who.AlipayLogon)
		}
		p := &testapp.Patient{App: a.App, No: no, Name: who.Name, Phone: who.Phone, Alipay: who.AlipayLogon, Card: who.Cards[0], Token: token}
		a.Call("GET", "/api/hospay/cards", token, nil)
		a.lookFor(who.Name)
		a.lookFor(who.Phone)
		if res := p.Apply(via, []string{"transfer", "original"}[i/2%2], int64(100+i), nil); res.Status == 200 {
			orders = append(orders, res.Text("id"))
		}
	}
	if len(orders) < n/2 {
		a.t.Fatalf("only %d of %d have applied", len(orders), n)
	}
	a.Drain()
	for i, id := range orders {
		a.Review(a.tokens["reviewer"], id, []string{"approve", "approve", "reject"}[i%3], "核对")
	}
	for range 3 {
		a.Drain()
		a.Advance(time.Minute)
		for _, id := range orders {
			if w := a.Order(id); w.Order.Status == refund.StatusAwaitingPayee {
				_ = a.Sims.WeChat.Confirm(w.Transfer.No)
			}
		}
	}
	a.Drain()
}

// lookFor finds somebody in the lists, and takes the list along.
func (a *aviary) lookFor(text string) {
	find := a.Call("POST", "/api/hospay/find", a.tokens["finance"], map[string]any{"text": text}).Text("find")
	for _, list := range []string{"payments", "queue"} {
		a.Call("GET", "/api/hospay/"+list+"?find="+url.QueryEscape(find), a.tokens["finance"], nil)
	}
	a.Call("POST", "/api/hospay/exports", a.tokens["finance"], map[string]any{"report": "refunds", "params": map[string]any{"find": find}})
}

// proxies hands photos in, and a name that HIS does not know.
func (a *aviary) proxies() {
	p := a.Login("P0009", "wechat")
	a.keep("a name that nobody has", "测试查无此人")
	p.ApplyProxy(elderly, "elderly", map[string]any{"principal_name": a.values["a name that nobody has"]})
	p.ApprovedProxy(elderly, "elderly")
	for i := range 3 {
		photo := demo.Photo(i)
		a.keep(fmt.Sprint("photo ", i), string(photo[len(photo)/2:len(photo)/2+48]))
	}
}

// books lets the bills of the day come, and makes what people take along.
func (a *aviary) books() {
	toMorning(a.App)
	for _, job := range []string{"statements", "reconcile", "receipts", "housekeeping", "guards", "seal_files"} {
		_, _ = a.Jobs.RunNow(a.t.Context(), job)
	}
	for _, who := range []string{"finance", "auditor"} {
		for _, report := range []string{"refunds", "audit"} {
			a.Call("POST", "/api/hospay/exports", a.tokens[who], map[string]any{"report": report, "params": map[string]any{}})
		}
	}
	_, _ = a.Jobs.RunNow(a.t.Context(), "exports")
	if _, err := a.Notices.Deliver(a.t.Context()); err != nil {
		a.t.Error(err)
	}
	if res := a.Call("POST", "/api/backups", a.tokens["superuser"], map[string]any{"name": "canary.zip"}); res.Status != 204 {
		a.t.Fatalf("backup: %d %s", res.Status, res.Raw)
	}
}

// mayTell are the values that an answer may hold, with the reason.
func mayTell(visitor, route, what string) bool {
	switch {
	case strings.HasSuffix(route, "/staff/totp"): // one's own secret, once, until it is confirmed
		return what == "TOTP secret"
	case strings.Contains(route, "auth-refresh"): // one's own token, renewed
		return strings.HasPrefix(what, "token")
	case strings.HasSuffix(route, "/reveal"): // a look at a field, with a reason, on record
		return (visitor == "reviewer" || visitor == "finance") && strings.HasSuffix(what, " name")
	}
	return false
}

// answers asks every route that reads, as everybody.
func (a *aviary) answers(find *finder) {
	n := 0
	look := func(v, route, path string) {
		res := a.Call("GET", path, a.tokens[v], nil)
		n++
		unpacked(route, res.Raw, 4, func(name string, data []byte) {
			for _, what := range find.in(data) {
				if !mayTell(v, route, what) {
					a.t.Errorf("%s tells %s the %s. Answer with the mask (vault.Mask…), or name it in mayTell with the reason", name, v, what)
				}
			}
		})
	}
	for _, v := range visitors {
		for _, r := range routeTable {
			if path, get := strings.CutPrefix(r.route, "GET "); get && path != "/api/realtime" {
				if r.path != "" {
					path = a.place(r.path)
				}
				look(v, r.route, path)
			}
		}
		for _, c := range collections.All() {
			if v != "superuser" || slices.Contains(collections.Guarded(), c) {
				look(v, "records of "+c, "/api/collections/"+c+"/records?perPage=500&expand=order,patient,institution,application")
			}
		}
	}
	if n < 900 {
		a.t.Errorf("only %d answers", n)
	}
}

// disk looks through the log and the whole folder, and value by value through
// both databases, in which long ones lie in pieces.
func (a *aviary) disk(find *finder) {
	found := map[string]bool{}
	sum := 0
	// What may lie open is found in the same places, so that what is not found is
	// not there.
	open, seen := newFinder(map[string]string{"number": a.Order(a.rows[collections.RefundOrders]).Order.No}), map[string]bool{}
	see := func(name string, data []byte) {
		sum += len(data)
		if len(open.in(data)) > 0 {
			seen[strings.TrimLeft(name, "/")] = true
		}
		for _, what := range find.in(data) {
			if key := name + what; !found[key] {
				found[key] = true
				a.t.Errorf("the %s lies open in %s", what, name)
			}
		}
	}
	unpacked("the log", []byte(a.book.String()), 4, see)
	time.Sleep(4 * time.Second) // the request log is written every three
	err := filepath.WalkDir(a.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "key.json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && !vault.Sealed(data) {
			unpacked(strings.TrimPrefix(path, a.Dir), data, 4, see)
		}
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	for name, db := range map[string]dbx.Builder{"data.db": a.Runtime.App.ConcurrentDB(), "auxiliary.db": a.Runtime.App.AuxConcurrentDB()} {
		var tables []string
		if err := db.NewQuery("SELECT name FROM sqlite_master WHERE type = 'table'").Column(&tables); err != nil {
			a.t.Fatal(err)
		}
		for _, table := range tables {
			var rows []dbx.NullStringMap
			if err := db.NewQuery("SELECT * FROM `" + table + "`").All(&rows); err != nil {
				a.t.Fatal(err)
			}
			for _, row := range rows {
				for column, v := range row {
					unpacked(name+" "+table+"."+column, []byte(v.String), 4, see)
				}
			}
		}
	}
	for _, name := range []string{"data.db", "data.db refund_orders.no", "backups/canary.zip>data.db"} {
		if !seen[name] {
			a.t.Errorf("the number of an order is not found in %s, only in %v: the scan does not reach it", name, slices.Sorted(maps.Keys(seen)))
		}
	}
	a.t.Logf("%d canaries, %d MB looked through", len(a.values), sum>>20)
	if sum < 5<<20 {
		a.t.Errorf("looked at too little: %d bytes", sum)
	}
}
