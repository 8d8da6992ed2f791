package e2e

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/sim/his"
)

const pingPath = "/api/hospay/his/ping"

func codeOf(t *testing.T, answer []byte) string {
	t.Helper()
	var v struct {
		Message string
		Data    struct{ Code string }
	}
	if err := json.Unmarshal(answer, &v); err != nil || v.Data.Code != "" && v.Message == "" {
		t.Fatalf("%v: %s", err, answer)
	}
	return v.Data.Code
}

// TestHISDoor_SignedAndOnce: a system of the hospital is let in by its key, its
// clock and a number that never came before, and only its answers are signed.
func TestHISDoor_SignedAndOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	ask := func(change func(*his.Vendor), path string) (int, string, bool, []byte) {
		v := his.NewVendor(a.URL, demo.InstitutionCode)
		if change != nil {
			change(v)
		}
		status, answer, signed, err := v.Plain(t.Context(), "POST", path, []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		return status, codeOf(t, answer), signed, answer
	}
	status, _, signed, answer := ask(nil, pingPath)
	var pong struct{ Institution, Name, Form, Now string }
	if err := json.Unmarshal(answer, &pong); err != nil || status != 200 || !signed || pong.Institution != demo.InstitutionCode ||
		pong.Form != "hmac-sha256" || pong.Name == "" || pong.Now == "" {
		t.Fatalf("%d %v %s %v", status, signed, answer, err)
	}
	if status, _, signed, _ := ask(nil, pingPath+"?a=1&b=%E4%B8%AD"); status != 200 || !signed {
		t.Error("the query is signed, too:", status, signed)
	}
	once := func(v *his.Vendor) { v.Nonce = func() string { return "one-number-for-two-0001" } }
	if status, _, _, _ := ask(once, pingPath); status != 200 {
		t.Error(status)
	}
	if status, code, signed, _ := ask(once, pingPath); status != 409 || code != "replayed" || !signed {
		t.Error("came twice:", status, code, signed)
	}
	for name, c := range map[string]struct {
		change func(*his.Vendor)
		code   string
	}{
		"another key":    {func(v *his.Vendor) { v.Key = "another-key-of-thirty-two-bytes!" }, "sign_invalid"},
		"no key":         {func(v *his.Vendor) { v.Key = "" }, "sign_invalid"},
		"no such house":  {func(v *his.Vendor) { v.Institution = "nobody" }, "sign_invalid"},
		"a short number": {func(v *his.Vendor) { v.Nonce = func() string { return "short" } }, "sign_invalid"},
		"a slow clock":   {func(v *his.Vendor) { v.Now = func() time.Time { return time.Now().Add(-6 * time.Minute) } }, "stamp_invalid"},
		"a fast clock":   {func(v *his.Vendor) { v.Now = func() time.Time { return time.Now().Add(6 * time.Minute) } }, "stamp_invalid"},
	} {
		if status, code, signed, _ := ask(c.change, pingPath); status != 401 || code != c.code || signed {
			t.Errorf("%s: %d %s, signed %v", name, status, code, signed)
		}
	}
	if status, _, _, _ := ask(nil, "/api/hospay/his/nothing"); status != 404 {
		t.Error("what is not there:", status)
	}
}

// TestHISDoor_TwoAtOnceAreOne: of equal requests that come together one is let in.
func TestHISDoor_TwoAtOnceAreOne(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	v := his.NewVendor(a.URL, demo.InstitutionCode)
	at := time.Now()
	v.Nonce, v.Now = func() string { return "eight-at-the-same-time-1" }, func() time.Time { return at }
	var in, out atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch status, _, _, err := v.Plain(t.Context(), "POST", pingPath, nil); {
			case err != nil:
				t.Error(err)
			case status == 200:
				in.Add(1)
			case status == 409:
				out.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 || out.Load() != 7 {
		t.Error(in.Load(), out.Load())
	}
}

// TestHISDoor_SMForm: the same calls in the form with SM2 and SM4, from a client
// that shares no code with the door.
func TestHISDoor_SMForm(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	v := his.NewVendor(a.URL, demo.InstitutionCode)
	ask := func(op string, envelope []byte) (string, string, string) {
		code, node, content, err := v.SM(t.Context(), op, envelope)
		if err != nil {
			t.Fatal(err)
		}
		return code, node, string(content)
	}
	seal := func(content string) []byte {
		e, err := v.Envelope([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := seal(`{"a":"一"}`)
	code, node, content := ask("ping", first)
	var pong struct{ Institution, Form string }
	if err := json.Unmarshal([]byte(content), &pong); err != nil || code != "200" || node != "hospay" || pong.Form != "sm" ||
		pong.Institution != demo.InstitutionCode {
		t.Fatal(code, node, content, err)
	}
	if code, node, content := ask("ping", first); code != "500" || node != "hospay.replayed" || content != "" {
		t.Error("came twice:", code, node, content)
	}
	if code, _, _ := ask("nothing", seal(`{"a":"二"}`)); code != "404" {
		t.Error("what is not there:", code)
	}
	if code, node, _ := ask("refund_apply", seal(`{"amount_cash":"一"}`)); code != "500" || node != "hospay.bad_request" {
		t.Error("what cannot be read:", code, node)
	}
	for name, body := range map[string]string{"a text": `"x"`, "empty": "{}", "tampered": string(seal(`{"a":"三"}`)[:40]) + `"}`} {
		if code, node, _ := ask("ping", []byte(body)); code != "205" || node != "hospay.sign_invalid" {
			t.Errorf("%s: %s %s", name, code, node)
		}
	}
	v.Now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
	if code, _, _ := ask("ping", seal(`{"a":"四"}`)); code != "203" {
		t.Error("a slow clock:", code)
	}
}

// TestHISDoor_WithoutKeysNobodyComesIn: an institution that has set no keys up is
// as unknown as one that is not there.
func TestHISDoor_WithoutKeysNobodyComesIn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	rec, err := a.Runtime.App.FindRecordById(collections.Institutions, a.Institution)
	if err != nil {
		t.Fatal(err)
	}
	rec.Set("secrets_input", `{"his_key":"","his_sm_sn":"","his_sm_token":"","his_sm_public":""}`)
	if err := a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
	v := his.NewVendor(a.URL, demo.InstitutionCode)
	for _, key := range []string{his.VendorKey, ""} {
		v.Key = key
		status, answer, _, err := v.Plain(t.Context(), "POST", pingPath, nil)
		if err != nil || status != 401 || codeOf(t, answer) != "sign_invalid" {
			t.Error(status, string(answer), err)
		}
	}
	envelope, err := v.Envelope([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if code, _, _, err := v.SM(t.Context(), "ping", envelope); err != nil || code != "205" {
		t.Error(code, err)
	}
}
