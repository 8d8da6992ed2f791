package centre

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/payment"

	"github.com/emmansun/gmsm/ecdh"
)

// sides is a client and an envelope that signs as its centre.
type sides struct {
	client *Client
	centre envelope
	answer func(w http.ResponseWriter, asked record) // plays the centre
	mu     sync.Mutex                                // a call that was given up may still be on its way when the next comes
	asked  []record
	now    time.Time
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.FixedZone("", 8*3600))

func pair(t testing.TB) (private, public string) {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(k.Bytes()), base64.StdEncoding.EncodeToString(k.PublicKey().Bytes())
}

// twoSides connects a client to a server that answers as s.answer says. What
// is told here of the wire is told by the client's own code; the simulator is
// the other side that is not.
func twoSides(t testing.TB, r Region) *sides {
	t.Helper()
	s := &sides{now: noon}
	ours, oursPublic := pair(t)
	theirs, theirsPublic := pair(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		o, err := s.centre.openRequest(body)
		if err != nil {
			t.Errorf("request: %v", err)
		}
		s.mu.Lock()
		s.asked = append(s.asked, o)
		s.mu.Unlock()
		s.answer(w, o)
	}))
	t.Cleanup(srv.Close)
	config := Config{Base: srv.URL, Region: r, OrgCode: "H44010000001", AppID: sampleApp, AppSecret: sampleSecret, PrivateKey: ours,
		PlatformKey: theirsPublic, Timeout: 2 * time.Second, Now: func() time.Time { return s.now }}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	config.PrivateKey, config.PlatformKey = theirs, oursPublic
	back, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.client, s.centre = c, back.envelope
	return s
}

// openRequest opens what a client sent: no code says of a request that it is good.
func (e envelope) openRequest(body []byte) (record, error) {
	o, err := e.open(body, time.Minute)
	if err == nil && !o.Signed {
		err = errSignature
	}
	return o.Data, err
}

// say answers with signed data.
func (s *sides) say(data map[string]any) {
	s.answer = func(w http.ResponseWriter, _ record) { w.Write(s.sealed(sealed{Code: "0", Success: true}, data)) }
}

func (s *sides) sealed(head sealed, data map[string]any) []byte {
	body, err := s.centre.seal(head, data)
	if err != nil {
		panic(err)
	}
	return body
}

// edit changes fields of an envelope after it was signed.
func edit(body []byte, f func(map[string]any)) []byte {
	m := map[string]any{}
	if err := json.Unmarshal(body, &m); err != nil {
		panic(err)
	}
	f(m)
	out, _ := json.Marshal(m)
	return out
}

func ref() payment.Ref {
	return payment.Ref{PayOrdID: "ORD440100202611280000000001", PayToken: "PT-secret-token", MedOrgOrd: "M2611280001",
		Person: payment.Person{IDNo: "110101199003078515", Name: "欧阳甲乙", IDType: "01"}}
}

func upload() payment.Upload {
	r, at := ref(), time.Date(2026, 11, 28, 9, 10, 0, 0, calendar.Beijing)
	return payment.Upload{No: r.MedOrgOrd, Batch: "B1", Credential: payment.Credential{PayAuthNo: "AUTH440100202611281000001"},
		Person: r.Person, Total: 12000, Visit: payment.Visit{PsnNo: "44010000000000000000000001", Insutype: "310", Area: "440100",
			Begun: at.Add(-10 * time.Minute), No: "MZ0001", MdtrtID: "D0001", MedType: "11", DeptCode: "0301", DeptName: "内科", Caty: "A03",
			Fees: []payment.Fee{
				{No: "1", Time: at, ListCode: "XA01", OwnCode: "Y1", Name: "药<甲>&乙", Sum: 7000, Count: "2", Price: "35"},
				{No: "2", Time: at, ListCode: "XA02", OwnCode: "Y2", Name: "检查", Sum: 5000, Count: "1", Price: "50"}}}}
}

func amounts(d map[string]any) map[string]any {
	for k, v := range map[string]string{"payOrdId": ref().PayOrdID, "medOrgOrd": ref().MedOrgOrd, "feeSumamt": "120.00", "fundPay": "70.00",
		"psnAcctPay": "20.00", "selfAcctPay": "15.00", "acctMulaidPay": "5.00", "ownPayAmt": "27.00", "othFeeAmt": "3.00", "hospPartAmt": "3.00",
		"deposit": "0.00", "delvFee": "0.00"} {
		if _, there := d[k]; !there {
			d[k] = v
		}
	}
	return d
}

var known = payment.Split{Total: 12000, Fund: 7000, Account: 2000, Cash: 2700, Other: 300, Own: 1500, Family: 500, HospitalPart: 300}
