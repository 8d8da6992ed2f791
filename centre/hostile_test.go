package centre

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/payment"

	"pgregory.net/rapid"
)

// every operation, as an answer alone.
func (s *sides) all(t *testing.T) map[string]payment.Result {
	r := ref()
	r.Known = &known
	return map[string]payment.Result{
		"6201": s.client.Upload(t.Context(), upload()).Result,
		"6202": s.client.Price(t.Context(), payment.Price{Ref: ref(), Serial: "S1", Batch: "B1", PayAuthNo: "AUTH1", FeeType: "01",
			Total: 12000}).Result,
		"6203": s.client.Refund(t.Context(), payment.InsuranceBack{Ref: r, Credential: payment.Credential{EcToken: "EC1"}, Serial: "R1",
			Kind: payment.BackAll, At: noon}).
			Result,
		"6301": s.client.Query(t.Context(), ref()).Result,
		"6401": s.client.Undo(t.Context(), ref()),
	}
}

// good is an answer that every operation takes for done.
func good() map[string]any {
	return amounts(map[string]any{"ordStas": "1", "payToken": "PT-2", "refStatus": "SUCC", "refdSn": "RF1"})
}

func TestHostile_ProvesNothing(t *testing.T) {
	s := twoSides(t, national())
	s.say(good())
	for op, a := range s.all(t) {
		if a.Verdict != flow.Done {
			t.Fatalf("%s: the good answer is %+v", op, a)
		}
	}
	right := s.sealed(sealed{Code: "0", Success: true}, good())
	other := twoSides(t, national())
	change := func(f func(map[string]any)) []byte { return edit(right, f) }
	later := s.centre
	later.now = func() time.Time { return noon.Add(-11 * time.Minute) }
	stale, _ := later.seal(sealed{Code: "0", Success: true}, good())
	later.now = func() time.Time { return noon.Add(11 * time.Minute) }
	ahead, _ := later.seal(sealed{Code: "0", Success: true}, good())
	later = s.centre
	later.appID = "53AF047BBA47FC8A1AE8EFB232BDBBCB"
	otherApp, _ := later.seal(sealed{Code: "0", Success: true}, good())
	for name, body := range map[string][]byte{
		"another key":        other.sealed(sealed{Code: "0", Success: true}, good()),
		"unsigned":           change(func(m map[string]any) { delete(m, "signData") }),
		"signature of DER":   change(func(m map[string]any) { m["signData"] = "MEUCIQ==" }),
		"changed time":       change(func(m map[string]any) { m["timestamp"] = "20261128120001" }),
		"changed code":       change(func(m map[string]any) { m["code"] = 1 }),
		"changed message":    change(func(m map[string]any) { m["message"] = "好" }),
		"no data":            change(func(m map[string]any) { delete(m, "encData") }),
		"cut data":           change(func(m map[string]any) { m["encData"] = m["encData"].(string)[:64] }),
		"data not hex":       change(func(m map[string]any) { m["encData"] = "GG" }),
		"data not text":      change(func(m map[string]any) { m["encData"] = 7 }),
		"no success":         s.sealed(sealed{Message: "好"}, good()),
		"stale":              stale,
		"ahead":              ahead,
		"another app":        otherApp,
		"success false":      change(func(m map[string]any) { m["success"] = false }),
		"unsigned success":   []byte(`{"code":0,"success":true,"message":"成功"}`),
		"plain success":      []byte(`{"code":0,"success":true,"data":{"payOrdId":"ORD440100202611280000000001","ordStas":"6"}}`),
		"not JSON":           []byte(`<html>502</html>`),
		"two values":         append(bytes.Clone(right), right...),
		"list":               []byte(`[]`),
		"null":               []byte(`null`),
		"nothing":            nil,
		"half":               right[:len(right)/2],
		"deep":               []byte(strings.Repeat(`{"data":`, 5000) + `{}` + strings.Repeat(`}`, 5000)),
		"too deep":           []byte(strings.Repeat(`[`, 200_000)),
		"too large":          append(append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), maxAnswer)...), `"}`...),
		"unlisted code":      s.sealed(sealed{Code: "360053", Message: "失败"}, good()),
		"unsigned 114":       []byte(`{"code":"114","success":false,"message":"appid不一致"}`),
		"code 0 but failure": s.sealed(sealed{Code: "500", Message: "x"}, nil),
	} {
		s.answer = func(w http.ResponseWriter, _ record) { w.Write(body) }
		for op, a := range s.all(t) {
			if a.Verdict != flow.Unknown {
				t.Errorf("%s, %s: %+v", name, op, a)
			}
		}
	}
	for _, status := range []int{201, 204, 302, 400, 401, 404, 500, 502, 504} {
		s.answer = func(w http.ResponseWriter, _ record) {
			w.Header().Set("Location", "/")
			w.WriteHeader(status)
			w.Write(right)
		}
		for op, a := range s.all(t) {
			if a.Verdict != flow.Unknown {
				t.Errorf("%d, %s: %+v", status, op, a)
			}
		}
	}
}

func TestHostile_NoAnswerInTime(t *testing.T) {
	s := twoSides(t, national())
	s.client.wait = 50 * time.Millisecond
	s.answer = func(http.ResponseWriter, record) { time.Sleep(200 * time.Millisecond) }
	for op, a := range s.all(t) {
		if a.Verdict != flow.Unknown || a.Reason.Code != CodeNoAnswer || !strings.HasSuffix(a.Reason.Message, "：超时") {
			t.Errorf("%s: %+v", op, a)
		}
	}
}

// TestTampered_AnyBitOfTheAnswer proves nothing, wherever it is.
func TestTampered_AnyBitOfTheAnswer(t *testing.T) {
	s := twoSides(t, national())
	right := s.sealed(sealed{Code: "0", Success: true, Message: "成功"}, good())
	o, err := s.client.open(right, time.Minute)
	if err != nil || !o.Signed || !o.Good || o.Data.text("fundPay") != "70.00" {
		t.Fatal(err, o)
	}
	rapid.Check(t, func(t *rapid.T) {
		body := bytes.Clone(right)
		body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		got, err := s.client.open(body, time.Minute)
		if err == nil && got.Signed && (got.Code != "0" || got.Data.text("fundPay") != "70.00" || !got.Good) {
			t.Fatalf("%s: %+v", body, got)
		}
	})
}

// TestCodes_UnlistedIsNeverRefused whatever the code, signed or not; a listed
// one refuses only when it is signed, or where the region says otherwise.
func TestCodes_UnlistedIsNeverRefused(t *testing.T) {
	r := national()
	r.Refusals = map[string]Refusal{"114": {Who: flow.ActorIT, Words: "应用不一致"}, "2001": {Who: flow.ActorPatient, Words: "请重新授权"}}
	s := twoSides(t, r)
	trusting := r
	trusting.UnsignedRefusals = true
	rapid.Check(t, func(rt *rapid.T) {
		code := rapid.OneOf(rapid.SampledFrom([]string{"114", "2001", "360053", "1", "-1", "999"}), rapid.StringMatching(`[0-9A-Z_]{0,8}`)).
			Draw(rt, "code")
		signed, trust := rapid.Bool().Draw(rt, "signed"), rapid.Bool().Draw(rt, "trust")
		if s.client.region = r; trust {
			s.client.region = trusting
		}
		a := s.client.said(opened{Code: code, Message: "姓名 欧阳甲乙 110101199003078515", Signed: signed}, []string{"欧阳甲乙"})
		rule, listed := r.Refusals[code]
		if want := listed && (signed || trust); want != (a.Verdict == flow.Refused) || a.Verdict == flow.Done {
			rt.Fatalf("%q signed %v trust %v: %+v", code, signed, trust, a)
		}
		if listed && a.Reason.Actor != rule.Who || strings.Contains(a.Reason.Message, "欧阳") || strings.Contains(a.Reason.Message, "1990") {
			rt.Fatalf("%+v", a)
		}
	})
	s.client.region = r
	s.answer = func(w http.ResponseWriter, _ record) {
		w.Write(s.sealed(sealed{Code: "114", Message: "不一致"}, nil))
	}
	for op, a := range s.all(t) {
		if want := op != "6301"; want != (a.Verdict == flow.Refused) || a.Reason.Code != "114" || a.Reason.Actor != flow.ActorIT {
			t.Errorf("%s: %+v", op, a)
		}
	}
}

// TestRelay_Wrappers and the variants of an envelope that public programs have met.
func TestRelay_Wrappers(t *testing.T) {
	s := twoSides(t, national())
	right := s.sealed(sealed{Code: "0", Success: true}, good())
	nested := s.sealed(sealed{Code: "0", Success: true}, map[string]any{"output": map[string]any{"body": map[string]any{"data": good()}}})
	for name, body := range map[string][]byte{
		"one": []byte(`{"code":200,"data":` + string(right) + `}`), "three": []byte(`{"body":{"output":{"data":` + string(right) + `}}}`),
		"nested data": nested,
		"lower hex":   edit(right, func(m map[string]any) { m["encData"] = strings.ToLower(m["encData"].(string)) }),
		"extra":       edit(right, func(m map[string]any) { m["extra"] = "x" }),
		"number code": edit(right, func(m map[string]any) { m["code"] = 0 }),
		"open data":   edit(right, func(m map[string]any) { m["data"] = good(); delete(m, "encData") }),
		"no app":      edit(right, func(m map[string]any) { delete(m, "appId") }),
	} {
		s.answer = func(w http.ResponseWriter, _ record) { w.Write(body) }
		for op, a := range s.all(t) {
			if a.Verdict != flow.Done {
				t.Errorf("%s, %s: %+v", name, op, a)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := twoSides(f, national())
	plainly, _ := Profile(Hainan)
	open := twoSides(f, plainly).client
	right := s.sealed(sealed{Code: "0", Success: true}, good())
	f.Add(right)
	f.Add(form{}.encode(good()))
	f.Add([]byte(`{"code":0,"data":{"encData":"00","signData":"AA=="}}`))
	f.Add([]byte(`{"code":114,"success":false}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := s.client.open(body, time.Minute)
		if err != nil && (o.Signed || o.Good || o.Data != nil) {
			t.Fatalf("%v: %+v", err, o)
		}
		if o.Signed && o.Data.text("payOrdId") != ref().PayOrdID {
			t.Fatalf("signed: %+v", o)
		}
		if n, err := s.client.ReadNotice(body); err == nil && n.PayOrdID != ref().PayOrdID || err != nil && !errors.Is(err, ErrNotice) {
			t.Fatal(n, err)
		}
		if n, err := open.ReadNotice(body); err == nil && (n.Proven || n.PayOrdID == "" || !orderNo.MatchString(n.MedOrgOrd) ||
			n.Told && n.Misfit(open.region.OtherInTotal) != "") {
			t.Fatal(n)
		}
	})
}

// FuzzJudge: whatever rightly signed data says, an order counts as settled or
// as a candidate only with its number and amounts that add up.
func FuzzJudge(f *testing.F) {
	f.Add([]byte(`{"payOrdId":"ORD440100202611280000000001","ordStas":"6"}`))
	f.Add([]byte(`{"payOrdId":"ORD440100202611280000000001","ordStas":6,"medOrgOrd":"M2611280001","feeSumamt":"1","ownPayAmt":"1",` +
		`"fundPay":0,"psnAcctPay":"0"}`))
	c := &Client{envelope: envelope{region: national()}}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := parse(body)
		m, ok := v.(map[string]any)
		if err != nil || !ok {
			return
		}
		state, split, a := c.judge(dataOf(m), ref())
		if a.Verdict == flow.Refused {
			t.Fatal(a)
		}
		if g := state.Group(); a.Verdict == flow.Done && (g == payment.Unclear || (g == payment.Candidate || g == payment.Settled) &&
			(split.Total <= 0 || split.Misfit(c.region.OtherInTotal) != "")) {
			t.Fatalf("%d %+v %+v", state, split, a)
		}
	})
}
