package centre

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/sim"
)

const someone = "440106199003078515"

// hospitalAsks is a request of the hospital, sealed by the centre's own rules
// with the hospital's key.
func hospitalAsks(s *Server, data thing) []byte {
	m := thing{"appId": AppID, "encType": "SM4", "signType": "SM2", "version": "2.0.1", "timestamp": s.settings.Get().stamp(time.Now()),
		"data": data}
	m["encData"], m["signData"] = s.code.hide([]byte(compact(data, true))), s.hospital.signature(AppSecret, signing(m, AppSecret, true))
	delete(m, "data")
	return sim.JSON(m)
}

// said is an answer of the centre; signed says whether it was.
func said(t *testing.T, s *Server, url string, data thing) (code string, out thing, signed bool) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(string(hospitalAsks(s, data))))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	m, ok := read(raw)
	if !ok || res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, raw)
	}
	if str(m, "encData") != "" {
		text, _ := s.code.show(str(m, "encData"))
		out, _ = read(text)
		m["data"] = out
	}
	signed = signedBy(&s.platform.key.PublicKey, AppSecret, signing(m, AppSecret, true), str(m, "signData"))
	return str(m, "code"), out, signed
}

func aBill(no string) thing {
	return thing{"orgCodg": OrgCode, "psnNo": "P1", "insutype": "310", "medOrgOrd": no, "begntime": "2026-11-28 09:00:00", "idNo": someone,
		"userName": "欧阳甲乙", "idType": "01", "ecToken": "EC1", "insuCode": Area, "chrgBchno": "B" + no, "iptOtpNo": "MZ1", "medType": "11",
		"feeType": "01", "deptCode": "0301", "deptName": "内科", "caty": "A03", "psnSetlway": "01", "pubHospRfomFlag": "1",
		"medfeeSumamt": "120.00", "feedetailList": []any{thing{"feedetlSn": "1", "cnt": "3", "pric": "40", "detItemFeeSumamt": "120.00"}}}
}

func with(m thing, set thing) thing {
	out := maps.Clone(m)
	maps.Copy(out, set)
	return out
}

func TestUpload_WhatItRefuses(t *testing.T) {
	s, url := serve(t)
	line := func(set thing) thing {
		return thing{"feedetailList": []any{with(thing{"feedetlSn": "1", "cnt": "3", "pric": "40", "detItemFeeSumamt": "120.00"}, set)}}
	}
	for name, c := range map[string]struct {
		set  thing
		code string
	}{
		"no name":          {thing{"userName": ""}, "1001"},
		"no department":    {thing{"caty": ""}, "1001"},
		"another hospital": {thing{"orgCodg": "H1"}, "1001"},
		"21 places":        {thing{"medOrgOrd": strings.Repeat("1", 21)}, "1001"},
		"no credential":    {thing{"ecToken": ""}, "1001"},
		"two credentials":  {thing{"payAuthNo": "AUTH1"}, "1001"},
		"no visit":         {thing{"ecToken": "", "payAuthNo": "AUTH1"}, "1001"},
		"no credential's":  {thing{"ecToken": "", "payAuthNo": "X1", "mdtrtId": "D1"}, "2004"},
		"no lines":         {thing{"feedetailList": []any{}}, "1001"},
		"sum":              {thing{"medfeeSumamt": "120.01"}, "2003"},
		"count and price":  {line(thing{"cnt": "4"}), "2003"},
		"a fen of round":   {line(thing{"pric": "39.9999"}), "0"},
		"line's kind":      {line(thing{"medType": "14"}), "2003"},
		"parts": {thing{"fulamtOwnpayAmt": "1.00", "overlmtSelfpay": "0.00", "preselfpayAmt": "0.00", "inscpScpAmt": "120.00"},
			"2003"},
		"good": {nil, "0"},
	} {
		code, out, signed := said(t, s, url+folder+"ULDFEEINFO", with(aBill(fmt.Sprintf("M%d", len(name))), c.set))
		if code != c.code || !signed || (code == "0") != (str(out, "payToken") != "") {
			t.Errorf("%s: %s %v %v", name, code, signed, out)
		}
	}
	before := len(s.books.list())
	for range 2 {
		said(t, s, url+folder+"uldFeeInfo", aBill("TWICE"))
	}
	if got := len(s.books.list()); got != before+1 {
		t.Errorf("%d orders after a number came twice, %d before", got, before)
	}
}

// TestOrder_FirstPriceStays and a serial number is used once.
func TestOrder_FirstPriceStays(t *testing.T) {
	s, url := serve(t)
	_, up, _ := said(t, s, url+folder+"uldFeeInfo", aBill("M1"))
	ask := thing{"payOrdId": up["payOrdId"], "payToken": up["payToken"], "orgCodg": OrgCode, "orgBizSer": "S1", "chrgBchno": "BM1"}
	if err := s.Split(Planned{IDNo: someone, Fund: 5000}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set  thing
		code string
	}{{nil, "0"}, {nil, "2002"}, {thing{"orgBizSer": "S2"}, "0"}, {thing{"orgBizSer": "S3", "payToken": "x"}, "2006"},
		{thing{"orgBizSer": "S3", "payOrdId": "x"}, "2001"}, {thing{"orgBizSer": "S3", "chrgBchno": "B2"}, "1001"},
		{thing{"orgBizSer": "S3", "orgCodg": "H2"}, "1001"}, {thing{"orgBizSer": "S3", "payAuthNo": "none"}, "2004"}} {
		code, out, _ := said(t, s, url+folder+"pay_order", with(ask, c.set))
		if code != c.code || code == "0" && str(out, "fundPay") != "50.00" {
			t.Errorf("%v: %s %v", c.set, code, out)
		}
	}
	for _, p := range []Planned{{}, {IDNo: "x", Fund: -1}, {IDNo: "x", Family: 1}, {IDNo: "x", Hospital: 1}} {
		if s.Split(p) == nil {
			t.Errorf("%+v", p)
		}
	}
	if err := s.Split(Planned{IDNo: someone, Fund: 12001}); err != nil {
		t.Fatal(err)
	}
	_, up, _ = said(t, s, url+folder+"uldFeeInfo", aBill("M2"))
	ask = thing{"payOrdId": up["payOrdId"], "payToken": up["payToken"], "orgCodg": OrgCode, "orgBizSer": "S9"}
	if code, _, _ := said(t, s, url+folder+"pay_order", ask); code != "2003" {
		t.Error("a split above the total", code)
	}
}

// TestDivide_DemoRulesAddUp for every insurance and total.
func TestDivide_DemoRulesAddUp(t *testing.T) {
	set := defaults()
	set.FamilyPart = 30
	for _, kind := range []string{"310", "390", "340", "999", ""} {
		for total := int64(1); total < 30_000; total += 37 {
			for _, balance := range []int64{-5, 0, 100, 50_000} {
				x, ok := divide(total, kind, nil, balance, &set)
				if !ok || x.fund+x.account+x.cash != total || min(x.fund, x.account, x.cash, x.family) < 0 || x.family > x.account ||
					x.account > max(balance, 0) || kind == "999" && x.cash != total {
					t.Fatalf("%s %d %d: %+v", kind, total, balance, x)
				}
			}
		}
	}
}

// TestAccount_IsSpentAndComesBack.
func TestAccount_IsSpentAndComesBack(t *testing.T) {
	s, _ := serve(t)
	o := &order{medOrgOrd: "M1", idNo: someone, split: &split{total: 100, account: 60, cash: 40}, state: quoted}
	s.books.ours["M1"] = o
	if err := s.Pay("M1", PartInsurance); err != nil || s.books.spent[someone] != 60 || o.state != insured {
		t.Fatal(err, s.books.spent, o.state)
	}
	if err := s.Reverse("M1"); err != nil || s.books.spent[someone] != 0 || o.state != reversed {
		t.Error(err, s.books.spent, o.state)
	}
	if s.Pay("M1", PartCash) == nil || s.Reverse("M1") == nil || s.Pay("none", PartCash) == nil || s.Pay("M1", "half") == nil {
		t.Error("what is not possible was done")
	}
	if got := s.Ledger().Find("reversal", "M1"); len(got) != 1 || got[0].Amount != 60 || got[0].Party != someone {
		t.Errorf("%+v", got)
	}
}

// TestRefund_EveryStateAndKind: only what the states allow, and what was given
// back is never more than what was paid.
func TestRefund_EveryStateAndKind(t *testing.T) {
	s, _ := serve(t)
	want := map[string]map[int]int{
		"ALL":  {insured: allBack, hospital: allBack, complete: allBack},
		"HI":   {insured: hiBack, hospital: hiBack, complete: hiBack, cashBack: allBack, partBack: mixBack},
		"CASH": {cashPaid: cashBack, hospital: cashBack, complete: cashBack, partBack: cashBack, hiBack: allBack, mixBack: allBack},
	}
	for kind, ends := range want {
		for state := -1; state < 26; state++ {
			o := &order{payOrdID: "O", medOrgOrd: "M", idNo: someone, split: &split{total: 100, fund: 50, account: 10, cash: 40}, state: state,
				refunds: map[string]refunded{}}
			s.books.orders["O"] = o
			m := thing{"payOrdId": "O", "appRefdSn": "R", "appRefdTime": "20261128120000", "refdType": kind, "ecToken": "EC", "fundRefdAmt": "0.50",
				"psnAcctRefdAmt": "0.10", "cashRefdAmt": "0.40", "totlRefdAmt": "1.00"}
			switch kind {
			case "HI":
				m["cashRefdAmt"], m["totlRefdAmt"] = "0.00", "0.60"
			case "CASH":
				m["fundRefdAmt"], m["psnAcctRefdAmt"], m["totlRefdAmt"] = "0.00", "0.00", "0.40"
			}
			for _, bad := range []thing{{"totlRefdAmt": "0.99"}, {"cashRefdAmt": "0.41", "totlRefdAmt": "1.01"}, {"ecToken": ""}, {"refdType": "X"},
				{"fundRefdAmt": "x"}} {
				if _, r := s.refund(with(m, bad), sim.Fault{}); r == nil {
					t.Errorf("%s in %d with %v", kind, state, bad)
				}
			}
			end, may := ends[state]
			out, r := s.refund(m, sim.Fault{})
			if may != (r == nil) || may && (o.state != end || str(out, "refStatus") != "SUCC") || !may && o.state != state {
				t.Errorf("%s in %d: %v %v, now %d", kind, state, out, r, o.state)
			}
		}
	}
}

func TestCredential_OfThePersonAndItsTime(t *testing.T) {
	s, url := serve(t)
	var c map[string]string
	res, err := http.Get(url + "/_sim/credential?patient=P0013&for=P0007")
	if err != nil || json.NewDecoder(res.Body).Decode(&c) != nil || res.StatusCode != 200 {
		t.Fatal(err, res)
	}
	res.Body.Close()
	child, mother := s.world.Find("P0007"), s.world.Find("P0013")
	if c["name"] != mother.Name || !strings.HasPrefix(c["pay_auth_no"], "AUTH440100") {
		t.Error(c)
	}
	for i, who := range []string{child.IDNo, mother.IDNo} {
		code, _, _ := said(t, s, url+folder+"uldFeeInfo", with(aBill(fmt.Sprint("M", i)),
			thing{"ecToken": "", "payAuthNo": c["pay_auth_no"], "mdtrtId": "D1", "idNo": who}))
		if want := []string{"0", "2007"}[i]; code != want {
			t.Errorf("%s: %s, want %s", who, code, want)
		}
	}
	s.Clock().Advance(11 * time.Minute)
	code, _, _ := said(t, s, url+folder+"uldFeeInfo", with(aBill("M9"), thing{"ecToken": c["ec_token"], "idNo": child.IDNo}))
	if code != "2004" {
		t.Error("eleven minutes later:", code)
	}
	if res, _ := http.Get(url + "/_sim/credential?patient=P9999"); res.StatusCode != 404 {
		t.Error(res.StatusCode)
	}
}

// TestRequests_NameOperationAndNumber, without secrets.
func TestRequests_NameOperationAndNumber(t *testing.T) {
	s, url := serve(t)
	_, up, _ := said(t, s, url+folder+"uldFeeInfo", aBill("M1"))
	who := thing{"payOrdId": up["payOrdId"], "payToken": up["payToken"], "orgCodg": OrgCode, "idNo": someone, "userName": "欧阳甲乙",
		"idType": "01"}
	said(t, s, url+folder+"pay_order", with(who, thing{"orgBizSer": "S1"}))
	said(t, s, url+folder+"query_order_info", who)
	said(t, s, url+folder+"revoke_order", who)
	said(t, s, url+folder+"refund_order", thing{"payOrdId": up["payOrdId"], "appRefdSn": "R1"})
	var got []string
	for _, r := range s.Requests().All() {
		got = append(got, r.Op+" "+r.Alias+" "+r.No)
	}
	if want := "6201 upload M1, 6202 order S1, 6301 query M1, 6401 undo M1, 6203 refund R1"; strings.Join(got, ", ") != want {
		t.Error(got)
	}
	raw, _ := json.Marshal(s.Requests().All())
	if strings.Contains(string(raw), str(up, "payToken")) || strings.Contains(string(raw), someone) {
		t.Error("the log tells secrets")
	}
}
