package centre

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

func last(s *sides) record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

func TestUpload_SendsWhatTheDocumentNames(t *testing.T) {
	s := twoSides(t, national())
	s.say(map[string]any{"payOrdId": "ORD1", "payToken": "PT1", "extData": `{"mdtrtId":"D9"}`})
	u := upload()
	u.Visit.Parts = &payment.Parts{SelfPay: 1000, InScope: 11000}
	a := s.client.Upload(t.Context(), u)
	if a.Verdict != flow.Done || a.PayOrdID != "ORD1" || a.PayToken != "PT1" || a.MdtrtID != "D9" {
		t.Fatalf("%+v", a)
	}
	d := last(s)
	for k, want := range map[string]string{"orgCodg": "H44010000001", "medOrgOrd": u.No, "chrgBchno": "B1", "medfeeSumamt": "120.00",
		"fulamtOwnpayAmt": "10.00", "overlmtSelfpay": "0.00", "inscpScpAmt": "110.00", "payAuthNo": u.PayAuthNo, "insuCode": "440100",
		"userName": "欧阳甲乙", "pubHospRfomFlag": "1", "psnSetlway": "01", "caty": "A03"} {
		if got := d.text(k); got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
	fees := d["feedetailList"].([]any)
	if line := record(fees[0].(map[string]any)); len(fees) != 2 || line.text("detItemFeeSumamt") != "70.00" ||
		line.text("medListName") != "药<甲>&乙" {
		t.Errorf("%v", fees)
	}
	if _, there := d["ecToken"]; there || d.text("diseCodg") != "" {
		t.Error("empty fields were sent")
	}
}

func TestUpload_WrongOnesAreNotSent(t *testing.T) {
	s := twoSides(t, national())
	s.answer = func(http.ResponseWriter, record) { t.Error("sent") }
	for name, change := range map[string]func(*payment.Upload){
		"number of 21":  func(u *payment.Upload) { u.No = strings.Repeat("1", 21) },
		"dash":          func(u *payment.Upload) { u.No = "A-1" },
		"no credential": func(u *payment.Upload) { u.PayAuthNo = "" },
		"two of them":   func(u *payment.Upload) { u.EcToken = "x" },
		"no visit":      func(u *payment.Upload) { u.Visit.MdtrtID = "" },
		"no name":       func(u *payment.Upload) { u.Name = "" },
		"no department": func(u *payment.Upload) { u.Visit.DeptCode = "" },
		"sum":           func(u *payment.Upload) { u.Total++ },
		"no fees":       func(u *payment.Upload) { u.Visit.Fees = nil },
		"parts":         func(u *payment.Upload) { u.Visit.Parts = &payment.Parts{SelfPay: 1} },
	} {
		u := upload()
		change(&u)
		if a := s.client.Upload(t.Context(), u); a.Verdict != flow.Refused || a.Reason.Code != CodeBadCall || a.Reason.Actor != flow.ActorIT {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func price() payment.Price {
	return payment.Price{Ref: ref(), Serial: "S1", Batch: "B1", PayAuthNo: "AUTH1", FeeType: "01", MdtrtID: "D1", Total: 12000}
}

func TestPrice_TellsWhoPaysWhat(t *testing.T) {
	s := twoSides(t, national())
	s.say(amounts(map[string]any{"ordStas": "1", "extData": map[string]any{"preSetl": map[string]any{"fund_pay_sumamt": "70.00"}}}))
	a := s.client.Price(t.Context(), price())
	if a.Verdict != flow.Done || a.Split != known || a.Stas != payment.StasQuoted || !bytes.Contains(a.Info, []byte("fund_pay_sumamt")) {
		t.Fatalf("%+v", a)
	}
	if got := slices.Sorted(maps.Keys(last(s))); !slices.Equal(got, []string{"chrgBchno", "feeType", "mdtrtId", "orgBizSer", "orgCodg",
		"payAuthNo", "payOrdId", "payToken"}) {
		t.Error(got)
	}
}

// TestAmounts_ByTheRegionsRule: what does not fit is Unknown, never refused.
func TestAmounts_ByTheRegionsRule(t *testing.T) {
	apart := national()
	apart.OtherInTotal = false
	for name, c := range map[string]struct {
		set  map[string]any
		done bool // where other fees are part of the total
		old  bool // where they are beside it
	}{
		"other in the total":     {nil, true, false},
		"other beside the total": {map[string]any{"feeSumamt": "117.00"}, false, true},
		"one fen more":           {map[string]any{"feeSumamt": "120.01"}, false, false},
		"another total":          {map[string]any{"feeSumamt": "110.00", "ownPayAmt": "17.00"}, false, false},
		"family does not fit":    {map[string]any{"acctMulaidPay": "5.01"}, false, false},
		"own alone":              {map[string]any{"acctMulaidPay": nil}, true, false},
		"neither":                {map[string]any{"acctMulaidPay": nil, "selfAcctPay": nil}, true, false},
		"own above the account":  {map[string]any{"acctMulaidPay": nil, "selfAcctPay": "21.00"}, false, false},
		"hospital above other":   {map[string]any{"hospPartAmt": "3.01"}, false, false},
		"no fund":                {map[string]any{"fundPay": nil}, false, false},
		"no cash":                {map[string]any{"ownPayAmt": nil}, false, false},
		"other spelling":         {map[string]any{"ownPayAmt": nil, "ownpayAmt": "27.00"}, true, false},
		"numbers":                {map[string]any{"feeSumamt": 120, "ownPayAmt": 27.0}, true, false},
		"negative":               {map[string]any{"ownPayAmt": "-27.00", "fundPay": "124.00"}, false, false},
		"unreadable":             {map[string]any{"ownPayAmt": "2,7.0.0"}, false, false},
		"three decimals":         {map[string]any{"deposit": "0.001"}, false, false},
		"too much":               {map[string]any{"feeSumamt": "99999999999999999.00", "fundPay": "99999999999999909.00"}, false, false},
		"settled already":        {map[string]any{"ordStas": "6"}, false, false},
		"no state":               {map[string]any{"ordStas": nil}, false, false},
		"another order":          {map[string]any{"payOrdId": "ORD2"}, false, false},
		"another of ours":        {map[string]any{"medOrgOrd": "M2611280002"}, false, false},
		"no order":               {map[string]any{"payOrdId": nil}, false, false},
	} {
		for region, want := range map[*Region]bool{new(national()): c.done, &apart: c.old} {
			d := amounts(map[string]any{"ordStas": "1"})
			maps.Copy(d, c.set)
			s := twoSides(t, *region)
			s.say(plainOf(t, d))
			p := price()
			if c.old && !c.done {
				p.Total = 11700
			}
			a := s.client.Price(t.Context(), p)
			if want != (a.Verdict == flow.Done) || a.Verdict == flow.Refused {
				t.Errorf("%s, other in the total %v: %+v", name, region.OtherInTotal, a)
			}
		}
	}
}

func plainOf(t *testing.T, d map[string]any) map[string]any {
	t.Helper()
	v, err := plain(d)
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// TestQuery_EveryState with and without amounts.
func TestQuery_EveryState(t *testing.T) {
	for n := payment.Stas(-1); n <= 26; n++ {
		group := n.Group()
		bare, full := group != payment.Unclear && group != payment.Candidate && group != payment.Settled, group != payment.Unclear
		s := twoSides(t, national())
		r := ref()
		r.Known = &known
		s.say(map[string]any{"payOrdId": r.PayOrdID, "ordStas": n.String()})
		if o := s.client.Query(t.Context(), r); bare != (o.Verdict == flow.Done) || o.Told || o.Total != 0 {
			t.Errorf("%d bare: %+v", n, o)
		}
		s.say(amounts(map[string]any{"ordStas": n.String(), "revsToken": "RT1", "setlType": "ALL", "hiDocSn": "DOC1", "hiRgstSn": "RG1",
			"hiChrgTime": "20261128120102", "callType": "02", "traceTime": "20261128120103",
			"extData": map[string]any{"setlinfo": []any{map[string]any{"setl_id": "S7"}}}}))
		o := s.client.Query(t.Context(), r)
		if full != (o.Verdict == flow.Done) || o.Verdict == flow.Refused || full && (!o.Told || o.Split != known || o.RevsToken != "RT1" ||
			o.DocSn != "DOC1") {
			t.Errorf("%d: %+v", n, o)
		}
		s.say(amounts(map[string]any{"ordStas": n.String(), "fundPay": "69.00", "ownPayAmt": "28.00"}))
		if o := s.client.Query(t.Context(), r); o.Verdict != flow.Unknown || o.Total != 0 {
			t.Errorf("%d with other amounts: %+v", n, o)
		}
		s.say(amounts(map[string]any{"ordStas": n.String(), "medOrgOrd": nil}))
		if o := s.client.Query(t.Context(), r); (group == payment.Candidate || group == payment.Settled) && o.Verdict != flow.Unknown {
			t.Errorf("%d without our number: %+v", n, o)
		}
	}
}

func TestQuery_TextThatIsNoState(t *testing.T) {
	s := twoSides(t, national())
	for _, text := range []any{"", "six", "6.0", "-6", "100", true, []any{"6"}} {
		s.say(amounts(map[string]any{"ordStas": text}))
		if o := s.client.Query(t.Context(), ref()); o.Verdict != flow.Unknown {
			t.Errorf("%v: %+v", text, o)
		}
	}
}

func TestRefund_Forms(t *testing.T) {
	bare, with := national(), national()
	bare.RefundForm, with.RefundTotalWithOther = RefundBare, true
	for _, c := range []struct {
		region Region
		kind   payment.BackKind
		cash   money.Fen
		want   map[string]string
	}{
		{national(), payment.BackAll, 0, map[string]string{"totlRefdAmt": "117.00", "cashRefdAmt": "27.00", "psnAcctRefdAmt": "20.00",
			"fundRefdAmt": "70.00"}},
		{with, payment.BackAll, 0, map[string]string{"totlRefdAmt": "120.00", "cashRefdAmt": "27.00", "psnAcctRefdAmt": "20.00",
			"fundRefdAmt": "70.00"}},
		{bare, payment.BackAll, 0, map[string]string{"totlRefdAmt": "117.00", "cashRefdAmt": "27.00", "psnAcctRefdAmt": "", "fundRefdAmt": ""}},
		{with, payment.BackInsurance, 0, map[string]string{"totlRefdAmt": "90.00", "cashRefdAmt": "0.00", "psnAcctRefdAmt": "20.00",
			"fundRefdAmt": "70.00"}},
		{national(), payment.BackCash, 700, map[string]string{"totlRefdAmt": "7.00", "cashRefdAmt": "7.00", "psnAcctRefdAmt": "0.00",
			"fundRefdAmt": "0.00"}},
	} {
		s := twoSides(t, c.region)
		s.say(map[string]any{"refStatus": "SUCC", "refdSn": "RF1", "hiFefdSn": "HF1", "hiTrnsDate": "20261128", "hiTrnsTime": "120000"})
		r := payment.InsuranceBack{Ref: ref(), Credential: payment.Credential{PayAuthNo: "AUTH2"}, Serial: "R2611280001", Kind: c.kind,
			Cash: c.cash, At: noon.UTC()}
		r.Known = &known
		a := s.client.Refund(t.Context(), r)
		if a.Verdict != flow.Done || a.No != "RF1" || a.DocSn != "HF1" || a.Time != "20261128120000" {
			t.Errorf("%s: %+v", c.kind, a)
		}
		maps.Copy(c.want, map[string]string{"appRefdSn": "R2611280001", "appRefdTime": "20261128120000", "refdType": string(c.kind),
			"payAuthNo": "AUTH2", "ecToken": ""})
		for k, v := range c.want {
			if got := last(s).text(k); got != v {
				t.Errorf("%s %s: %q, want %q", c.kind, k, got, v)
			}
		}
	}
}

func TestRefund_WhatItsStatusProves(t *testing.T) {
	for _, c := range []struct {
		d    map[string]any
		want flow.Verdict
	}{
		{map[string]any{"refStatus": "SUCC", "refdSn": "RF1"}, flow.Done},
		{map[string]any{"refStatus": "SUCC"}, flow.Unknown},
		{map[string]any{"refStatus": "FAIL"}, flow.Refused},
		{map[string]any{"refStatus": "FAIL", "payOrdId": "ORD2"}, flow.Unknown},
		{map[string]any{"refStatus": "EXP", "refdSn": "RF1"}, flow.Unknown},
		{map[string]any{"refStatus": "succ", "refdSn": "RF1"}, flow.Unknown},
		{map[string]any{"refdSn": "RF1"}, flow.Unknown},
		{map[string]any{"refStatus": "SUCC", "refdSn": "RF1", "appRefdSn": "R2"}, flow.Unknown},
	} {
		s := twoSides(t, national())
		s.say(c.d)
		r := payment.InsuranceBack{Ref: ref(), Credential: payment.Credential{EcToken: "EC"}, Serial: "R1", Kind: payment.BackAll, At: noon}
		r.Known = &known
		if a := s.client.Refund(t.Context(), r); a.Verdict != c.want {
			t.Errorf("%v: %+v", c.d, a)
		}
	}
}

func TestRefund_WrongOnesAreNotSent(t *testing.T) {
	s := twoSides(t, national())
	s.answer = func(http.ResponseWriter, record) { t.Error("sent") }
	s.client.region.PartialCash = false
	cash := payment.Split{Total: 100, Cash: 100}
	for name, change := range map[string]func(*payment.InsuranceBack){
		"unknown amounts": func(r *payment.InsuranceBack) { r.Known = nil },
		"no credential":   func(r *payment.InsuranceBack) { r.EcToken = "" },
		"two of them":     func(r *payment.InsuranceBack) { r.PayAuthNo = "x" },
		"no serial":       func(r *payment.InsuranceBack) { r.Serial = "" },
		"no time":         func(r *payment.InsuranceBack) { r.At = time.Time{} },
		"kind":            func(r *payment.InsuranceBack) { r.Kind = "HALF" },
		"part of cash":    func(r *payment.InsuranceBack) { r.Kind, r.Cash = payment.BackCash, 100 },
		"too much cash":   func(r *payment.InsuranceBack) { r.Kind, r.Cash = payment.BackCash, 2701 },
		"no insurance":    func(r *payment.InsuranceBack) { r.Kind, r.Known = payment.BackInsurance, &cash },
		"no order":        func(r *payment.InsuranceBack) { r.PayOrdID = "" },
	} {
		r := payment.InsuranceBack{Ref: ref(), Credential: payment.Credential{EcToken: "EC"}, Serial: "R1", Kind: payment.BackAll, At: noon}
		r.Known = &known
		change(&r)
		if a := s.client.Refund(t.Context(), r); a.Verdict != flow.Refused || a.Reason.Code != CodeBadCall {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestNotice_SealedAndPlain(t *testing.T) {
	d := amounts(map[string]any{"callType": "02", "setlType": "ALL", "revsToken": "RT1", "hiChrgTime": "20261128101529"})
	sealedSide, plainRegion := twoSides(t, national()), national()
	plainRegion.NoticeForm, plainRegion.NoticeReply = NoticePlain, ReplyEmpty
	plainSide := twoSides(t, plainRegion)
	signed := sealedSide.sealed(sealed{}, d)
	n, err := sealedSide.client.ReadNotice(signed)
	if err != nil || !n.Proven || !n.Told || n.Split != known || n.RevsToken != "RT1" || n.MedOrgOrd != ref().MedOrgOrd {
		t.Fatalf("%+v %v", n, err)
	}
	open := form{}.encode(d)
	if n, err := plainSide.client.ReadNotice(open); err != nil || n.Proven || n.Split != known {
		t.Fatalf("%+v %v", n, err)
	}
	for name, body := range map[string][]byte{"plain": open, "unsigned": []byte(`{"code":"0","success":true}`),
		"tampered": edit(signed, func(m map[string]any) { m["timestamp"] = "20261128120001" }), "no JSON": []byte("x"), "list": []byte("[]"),
		"huge":         bytes.Repeat([]byte(" "), maxAnswer+1),
		"no number":    sealedSide.sealed(sealed{}, map[string]any{"payOrdId": "ORD1"}),
		"strange no":   sealedSide.sealed(sealed{}, amounts(map[string]any{"medOrgOrd": "M1' OR 1"})),
		"another side": plainSide.sealed(sealed{}, d)} {
		if n, err := sealedSide.client.ReadNotice(body); err == nil {
			t.Errorf("%s: %+v", name, n)
		}
	}
	if n, err := sealedSide.client.ReadNotice(sealedSide.sealed(sealed{}, amounts(map[string]any{"fundPay": "1.00"}))); err != nil || n.Told ||
		n.Total != 0 {
		t.Errorf("amounts that do not add up: %+v %v", n, err)
	}
	sealedSide.now = noon.Add(25 * time.Hour)
	if _, err := sealedSide.client.ReadNotice(signed); err == nil {
		t.Error("a notice of yesterday")
	}
}

func TestAcknowledge_AsTheRegionWants(t *testing.T) {
	s := twoSides(t, national())
	reply, err := s.client.Acknowledgement()
	if o, e := s.centre.open(reply.Body, time.Minute); err != nil || e != nil || !o.Signed || !o.Good || o.Code != "0" {
		t.Error(reply, err, e)
	}
	for want, form := range map[string]string{"": ReplyEmpty, `{"code":"0","success":true,"message":"成功"}`: ReplyJSON} {
		s.client.region.NoticeReply = form
		if reply, err := s.client.Acknowledgement(); err != nil || string(reply.Body) != want {
			t.Errorf("%s: %s %v", form, reply.Body, err)
		}
	}
}
