package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/hooks/gate"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/sim/portal"

	"github.com/pocketbase/pocketbase/tools/logger"
)

// hisRequests is how many calls HIS has received.
func hisRequests(t *testing.T, a *testapp.App) int {
	t.Helper()
	res := must(http.Get(a.Sims.HIS.URL() + "/_sim/requests?since=0"))
	defer res.Body.Close()
	var said struct{ Requests []json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return len(said.Requests)
}

// TestEdge_OnePatientCostsHISLittle, however often they ask, at once or one
// after the other, for cards of theirs or for any.
func TestEdge_OnePatientCostsHISLittle(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	before := hisRequests(t, a)
	var all sync.WaitGroup
	ask := func(path string) {
		if res := a.Call("GET", path, p.Token, nil); res.Status != 200 && res.Code() != "card_not_yours" {
			t.Errorf("%s: %d %s", path, res.Status, res.Raw)
		}
	}
	for i := range 50 {
		all.Go(func() { ask([]string{"/api/hospay/cards", "/api/hospay/options?card_no=" + p.Card}[i%2]) })
	}
	all.Wait()
	for i := range 50 {
		ask([]string{"/api/hospay/cards", "/api/hospay/options?card_no=" + p.Card, fmt.Sprint("/api/hospay/options?card_no=X", i)}[i%3])
	}
	if n := hisRequests(t, a) - before; n < 1 || n > 10 {
		t.Errorf("100 requests of a patient made %d calls of HIS", n)
	}
	a.Advance(11 * time.Second)
	before = hisRequests(t, a)
	if ask("/api/hospay/cards"); hisRequests(t, a) == before {
		t.Error("what has aged is not asked for anew")
	}
}

// TestEdge_CardsFollowAnOrder: what was told a moment ago is told again only
// until an order has moved.
func TestEdge_CardsFollowAnOrder(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	balance := func() (sum float64) {
		list, _ := a.Call("GET", "/api/hospay/cards", p.Token, nil).Body["cards"].([]any)
		for _, c := range list {
			sum += c.(map[string]any)["balance"].(float64)
		}
		return sum
	}
	had := balance()
	apply(t, p, "wechat", "transfer", 1200, nil)
	a.Drain()
	if left := balance(); left != had-1200 {
		t.Errorf("%v after a debit of 1200 from %v", left, had)
	}
}

// TestEdge_BytesBehindTheBodyAreRefused on every route that takes JSON, before
// anybody asks who it is.
func TestEdge_BytesBehindTheBodyAreRefused(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	routes := []string{}
	for _, r := range routeTable {
		method, path, named := strings.Cut(r.route, " ")
		if named && method != "GET" && method != "DELETE" && !strings.Contains(path, "/notify/") {
			routes = append(routes, method+" "+strings.NewReplacer("{collection}", "refund_orders").Replace(path))
		}
	}
	for _, name := range collections.All() {
		routes = append(routes, "POST /api/collections/"+name+"/records", "PATCH /api/collections/"+name+"/records/x")
	}
	if len(routes) < 60 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		for _, body := range []string{`{"a":1}{"a":2}`, `{"a":1} ,`, `{"a":1}]`, `{}x`, `{"a":1`} {
			if res := a.Send(method, path, "", "application/json", strings.NewReader(body)); res.Status != 400 || res.Code() != "bad_request" {
				t.Errorf("%s %s: %d %s", route, body, res.Status, res.Raw)
			}
		}
	}
	p := a.Login("P0001", "wechat")
	good := fmt.Sprintf(`  {"card_no":%q,"amount":1200,"method":"transfer","channel":"wechat","payee_name":%q,"notify_phone":%q,`+
		`"notice_version":"1"}  `+"\n", p.Card, p.Name, p.Phone)
	for _, body := range []string{good + "{}", good + "\x00"} {
		res := a.Send("POST", "/api/collections/refund_orders/records", p.Token, "application/json", strings.NewReader(body))
		wantRefusal(t, "bytes behind an application", res, 400, "bad_request")
	}
	res := a.Send("POST", "/api/collections/refund_orders/records", p.Token, "application/json", strings.NewReader(good))
	if res.Status != 200 {
		t.Errorf("blanks around the body: %d %s", res.Status, res.Raw)
	}
}

// TestEdge_BodiesAreLimited, whether they say how long they are or not.
func TestEdge_BodiesAreLimited(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	for _, row := range []struct{ path, token, kind string }{
		{"/api/hospay/auth/ticket", "", "application/json"}, {"/api/hospay/status", "", "application/json"},
		{"/api/collections/staff/auth-with-password", "", "application/json"},
		{"/api/collections/staff/auth-with-password", "", "application/x-www-form-urlencoded"},
		{"/api/collections/staff/auth-with-password", "", "multipart/form-data; boundary=x"},
		{"/api/collections/refund_orders/records", p.Token, "application/json"},
		{"/api/collections/refund_orders/records", p.Token, "multipart/form-data; boundary=x"},
		{"/api/collections/proxy_materials/records", "", "multipart/form-data; boundary=x"},
		{"/api/collections/proxy_materials/records", p.Token, "application/json"},
		{"/api/hospay/notify/wechat/" + a.Institution, "", "application/json"}, {"/api/batch", "", "application/json"},
		{"/api/hospay/config/changes", a.Staff("config"), "text/plain"}, {"/api/nothing", "", "text/xml"},
	} {
		limit := gate.MaxBody
		if strings.HasPrefix(row.path, "/api/hospay/config/") {
			limit = gate.MaxChange
		}
		text := `{"x":"` + strings.Repeat("a", limit-7) + `"}`
		for _, body := range []struct {
			name string
			read interface{ Read([]byte) (int, error) }
		}{{"told", strings.NewReader(text)}, {"not told", struct{ *bytes.Reader }{bytes.NewReader([]byte(text))}}} {
			res := a.Send("POST", row.path, row.token, row.kind, body.read)
			// What is no form at all is refused before its end is seen.
			early := body.name == "not told" && row.kind != "application/json" && res.Status >= 400 && res.Status < 500
			if res.Status != http.StatusRequestEntityTooLarge && !early {
				t.Errorf("%s %s, length %s: %d %s", row.path, row.kind, body.name, res.Status, res.Raw)
			}
		}
	}
	if res := a.Send("GET", "/api/hospay/auth/links?state="+strings.Repeat("a", gate.MaxURL), "", "", nil); res.Status != 414 {
		t.Errorf("a long address: %d", res.Status)
	}
	// A mapping and a notice have more room.
	res := a.Call("POST", "/api/hospay/config/changes", a.Staff("config"), map[string]any{
		"target": map[string]any{"collection": "notices"},
		"values": map[string]any{"kind": "refund", "title": "须知", "content": "<p>" + strings.Repeat("一", 100_000) + "</p>"}})
	if res.Status == http.StatusRequestEntityTooLarge {
		t.Errorf("a notice: %d %s", res.Status, res.Raw)
	}
}

// TestEdge_OddTicketsAreTheSendersFault: what no patient can have is refused,
// though it is signed.
func TestEdge_OddTicketsAreTheSendersFault(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who := a.Sims.World.Find("P0001")
	odd := []string{strings.Repeat("P", 65), "P\x001", "P\n1", strings.Repeat("病", 400), "\u0085"}
	for _, text := range odd {
		for name, change := range map[string]func(*portal.Claims){
			"sub": func(c *portal.Claims) { c.Subject = text }, "name": func(c *portal.Claims) { c.Name = text },
			"id_no": func(c *portal.Claims) { c.IDNo = text }, "id_type": func(c *portal.Claims) { c.IDType = text },
			"phone": func(c *portal.Claims) { c.Phone = text }, "jti": func(c *portal.Claims) { c.ID = text + strings.Repeat("j", 150) },
			"openid": func(c *portal.Claims) { c.Openid = text + strings.Repeat("o", 70) },
		} {
			c := claims(who, "jti-"+name+text[:1])
			change(&c)
			if res := enter(t, a, c, portal.Secret); res.Status != 400 || !chinese(res.Text("message")) {
				t.Errorf("%s = %.20q: %d %s", name, text, res.Status, res.Raw)
			}
		}
	}
	if n := countRows(t, a, collections.Patients, nil); n != 0 {
		t.Errorf("%d patients", n)
	}
}

// TestEdge_ShadowTakesEachRuleOnce, and not a hundred thousand.
func TestEdge_ShadowTakesEachRuleOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("config")
	rule := `{"rule":"proxy"}`
	for n, want := range map[int]int{1: 200, 2: 400, 10_000: 400, 100_000: 413} {
		body := `{"days":7,"rules":[` + strings.Repeat(rule+",", n-1) + rule + `]}`
		if res := a.Send("POST", "/api/hospay/review/shadow", token, "application/json", strings.NewReader(body)); res.Status != want {
			t.Errorf("%d rules: %d %.200s", n, res.Status, res.Raw)
		}
	}
}

// folderSize sums the files of the data folder, after what waits to be logged
// was written.
func folderSize(t *testing.T, a *testapp.App) (sum int64) {
	t.Helper()
	batch, ok := a.Runtime.App.Logger().Handler().(*logger.BatchHandler)
	if !ok {
		t.Fatalf("PocketBase logs through %T", a.Runtime.App.Logger().Handler())
	}
	if err := batch.WriteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // it is written on a goroutine of its own
	err := filepath.Walk(a.Dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestEdge_StrangersDoNotFillTheDisk: a thousand requests of guests, as long as
// they may be, and as many callbacks that nobody has signed.
func TestEdge_StrangersDoNotFillTheDisk(t *testing.T) {
	a := testapp.New(t, testapp.Config{Limits: true})
	before := folderSize(t, a)
	long := strings.Repeat("x", 3000)
	var load sync.WaitGroup
	for worker := range 4 {
		load.Go(func() {
			for i := range 250 {
				n := worker*250 + i
				path := fmt.Sprintf("/api/hospay/cards?token=secret%s&p%d=%s", long, n, long)
				method, body := "GET", ""
				switch n % 4 {
				case 1, 2:
					method, path, body = "POST", "/api/hospay/notify/"+[]string{"wechat", "alipay"}[n/4%2]+"/"+a.Institution, `{"id":"`+long+`"}`
				case 3:
					method, path, body = "POST", "/api/collections/staff/auth-with-password", `{"identity":"`+fmt.Sprint(n)+`","password":"x"}`
				}
				req := must(http.NewRequestWithContext(t.Context(), method, a.URL+path, strings.NewReader(body)))
				for _, h := range []string{"User-Agent", "Referer", "X-Forwarded-For"} {
					req.Header.Set(h, long)
				}
				req.Header.Set("Content-Type", "application/json")
				if res, err := http.DefaultClient.Do(req); err == nil {
					res.Body.Close()
				}
			}
		})
	}
	load.Wait()
	if grown := folderSize(t, a) - before; grown > 1<<20 {
		t.Errorf("1,000 requests of strangers wrote %d bytes", grown)
	}
	var rows, longest int
	const all = "SELECT COUNT(*), MAX(LENGTH(message) + LENGTH(data)) FROM _logs"
	if err := a.Runtime.App.AuxDB().NewQuery(all).Row(&rows, &longest); err != nil {
		t.Fatal(err)
	}
	var leaked int
	if err := a.Runtime.App.AuxDB().NewQuery("SELECT COUNT(*) FROM _logs WHERE message || data LIKE '%secretxx%'").Row(&leaked); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Store.TrimLogs(10); err != nil || int(n) != rows-10 {
		t.Errorf("%d of %d rows were forgotten, %v", n, rows, err)
	}
	if rows == 0 || rows > 300 || longest > 1500 || leaked != 0 {
		t.Errorf("%d rows, the longest of %d characters, %d with what an address held", rows, longest, leaked)
	}
}

// TestEdge_PeopleBehindOneAddressDoNotStarveEachOther: a ward logs in behind one
// address while somebody there tries tickets of their own making, and one of
// them asks without end.
func TestEdge_PeopleBehindOneAddressDoNotStarveEachOther(t *testing.T) {
	a := testapp.New(t, testapp.Config{Limits: true, Patients: 60})
	forged := map[int]int{}
	for range 40 {
		forged[a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": "forged.ticket"}).Status]++
	}
	if forged[401] != 30 || forged[429] != 10 {
		t.Errorf("forged tickets: %v", forged)
	}
	var ward []*testapp.Patient
	for i := range 45 {
		ward = append(ward, a.Login(fmt.Sprintf("P%04d", i+1), "wechat"))
	}
	flood := map[int]int{}
	for range 310 {
		flood[a.Call("GET", "/api/hospay/me", ward[0].Token, nil).Status]++
	}
	if flood[429] == 0 || flood[200] < 200 {
		t.Errorf("one patient without end: %v", flood)
	}
	for _, p := range ward[1:] {
		if res := a.Call("GET", "/api/hospay/me", p.Token, nil); res.Status != 200 {
			t.Errorf("%s: %d %s", p.No, res.Status, res.Raw)
		}
	}
	// A wrong login of whichever kind has used up the network's; who is logged in may go on.
	if res := password(a, "finance", demo.Password); res.Status != 429 {
		t.Errorf("a password after 30 wrong logins of the network: %d %s", res.Status, res.Raw)
	}
	a.Advance(time.Minute)
	if res := password(a, "finance", demo.Password); res.Status != 200 {
		t.Errorf("a minute later: %d %s", res.Status, res.Raw)
	}
	// An account has its own, also for right passwords, whatever others do.
	tries := map[int]int{}
	for range 12 {
		tries[password(a, "finance", demo.Password).Status]++
	}
	if tries[429] == 0 {
		t.Errorf("one account without end: %v", tries)
	}
	if res := password(a, "reviewer1", demo.Password); res.Status != 200 {
		t.Errorf("another account of the same network: %d %s", res.Status, res.Raw)
	}
	// One person comes in ten times a minute, each time with a good ticket.
	again := map[int]int{}
	for i := range 12 {
		again[enter(t, a, claims(a.Sims.World.Find("P0050"), fmt.Sprint("again", i)), portal.Secret).Status]++
	}
	if again[200] != 10 || again[429] != 2 {
		t.Errorf("one person with twelve tickets: %v", again)
	}
}
