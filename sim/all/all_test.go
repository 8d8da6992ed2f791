package all_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/all"
	"hospay/sim/his"
)

func TestStart_ServesControlAndKeepsKeys(t *testing.T) {
	dir := t.TempDir()
	first := start(t, all.Options{Dir: dir, Seed: 3})
	key := first.WeChat.Config().MchPrivateKey
	cert := first.Alipay.Config().AppCert
	for _, r := range first.Running {
		base := r.URL()
		for _, path := range []string{"/_sim/ledger", "/_sim/requests?since=0", "/_sim/config", "/_sim/clock", "/_sim/faults", "/_sim/settings"} {
			var v map[string]any
			res, err := http.Get(base + path)
			if err != nil || res.StatusCode != 200 || json.NewDecoder(res.Body).Decode(&v) != nil {
				t.Errorf("%s%s: %v %v", base, path, err, res)
			}
			res.Body.Close()
		}
		post(t, base+"/_sim/clock", `{"advance":"25h"}`, 200)
		post(t, base+"/_sim/faults", `{"plan":[{"match":"*","fault":"no such fault"}]}`, 400)
		post(t, base+"/_sim/settings", `{"no_such_setting":1}`, 400)
		post(t, base+"/_sim/reset", ``, 200)
	}
	post(t, first.WeChat.URL()+"/_sim/balance", `{"amount":5,"add":7}`, 200)
	if first.WeChat.Balance("") != 12 {
		t.Error(first.WeChat.Balance(""))
	}
	post(t, first.WeChat.URL()+"/_sim/confirm/none", ``, 409)
	first.Close()
	second := start(t, all.Options{Dir: dir, Seed: 3})
	if second.WeChat.Config().MchPrivateKey != key || second.Alipay.Config().AppCert != cert {
		t.Error("a restart must keep keys and certificates")
	}
	if third := start(t, all.Options{Seed: 3}); third.Alipay.Config().AppCert != cert {
		t.Error("keys must not depend on the directory")
	}
}

// The table is the list of simulators: names, fields and ports are each one's own.
func TestTable_EachRowIsASimulator(t *testing.T) {
	s := start(t, all.Options{Seed: 3, SecondHIS: true})
	names, offsets, cores := map[string]bool{}, map[int]bool{}, map[string]bool{}
	for _, row := range all.Simulators {
		if names[row.Name] || offsets[row.Offset] || row.Title == "" || row.Offset > 8 {
			t.Errorf("%+v", row)
		}
		names[row.Name], offsets[row.Offset] = true, true
	}
	for _, r := range s.Running {
		cores[r.URL()] = true
	}
	fields := []string{s.WeChat.URL(), s.Alipay.URL(), s.HIS.URL(), s.Centre.URL(), s.Portal.URL(), s.SMS.URL(), s.HIS2.URL()}
	for _, u := range fields {
		if !cores[u] {
			t.Errorf("%q does not serve", u)
		}
	}
	if len(s.Running) != len(all.Simulators) || len(cores) != len(fields) {
		t.Error(len(s.Running), cores)
	}
	s.Advance(time.Hour)
	for _, r := range s.Running {
		if r.Clock().Offset() != time.Hour {
			t.Error(r.Name, r.Clock().Offset())
		}
	}
	if plain := start(t, all.Options{Seed: 3}); plain.HIS2 != nil || len(plain.Running) != len(all.Simulators)-1 {
		t.Error("a second HIS runs when it is asked for")
	}
}

// Every fault is named, and told what it does.
func TestFaults_AreNamed(t *testing.T) {
	s := start(t, all.Options{Seed: 3})
	for _, r := range s.Running {
		res, err := http.Get(r.URL() + "/_sim/faults")
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Kinds    []sim.Kind          `json:"kinds"`
			Families map[string][]string `json:"families"`
		}
		err = json.NewDecoder(res.Body).Decode(&v)
		res.Body.Close()
		if err != nil || len(v.Kinds) != len(sim.FaultNames) || len(v.Families["lies"]) != 9 {
			t.Fatal(r.Name, err, v)
		}
		for _, k := range v.Kinds {
			if len(k.What) < 10 {
				t.Errorf("%+v", k)
			}
		}
	}
}

func start(t *testing.T, o all.Options) *all.Set {
	t.Helper()
	o.Ahead = testday.Ahead()
	s, err := all.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func post(t *testing.T, url, body string, want int) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != want {
		t.Errorf("%s %s: %d, want %d", url, body, res.StatusCode, want)
	}
}

// The simulators share no code with the product and none with the channels' SDKs.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "hospay/sim/...").Output()
	if err != nil {
		t.Skip("no go command:", err)
	}
	for _, p := range strings.Fields(string(out)) {
		own := strings.HasPrefix(p, "hospay/") && p != "hospay/sim" && !strings.HasPrefix(p, "hospay/sim/") && p != "hospay/money"
		sdk := strings.Contains(p, "wechatpay-go") || strings.Contains(p, "smartwalle") || strings.Contains(p, "gopay")
		if own || sdk {
			t.Errorf("sim must not import %s", p)
		}
	}
}

// TestHIS_ReversesAtTheCentre: a reversal of an order that the centre has not
// settled is refused there, and moves nothing anywhere.
func TestHIS_ReversesAtTheCentre(t *testing.T) {
	s := start(t, all.Options{Seed: 3})
	body := `{"our_no":"Q1","med_org_ord":"M1"}`
	mac := hmac.New(sha256.New, []byte(his.RESTSecret))
	mac.Write([]byte(body))
	req, _ := http.NewRequest(http.MethodPost, s.HIS.URL()+"/rest/uncharge", strings.NewReader(body))
	req.Header.Set("X-His-Key", his.RESTKey)
	req.Header.Set("X-His-Sign", hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct{ Code string }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Code != "1029" || s.HIS.Ledger().Len()+s.Centre.Ledger().Len() > 0 {
		t.Error(out, err)
	}
}
