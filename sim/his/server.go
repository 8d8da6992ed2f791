// Package his simulates a hospital information system with a deposit ledger,
// offered as REST and as SOAP 1.1 in UTF-8 and GBK. README.md is its interface
// description, written as a vendor would give it to an integrator.
package his

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"hospay/sim"
	"hospay/sim/world"
)

// Settings can be changed through POST /_sim/settings.
type Settings struct {
	ReverseSupported bool `json:"reverse_supported"`
	QuerySupported   bool `json:"query_supported"`
	PageMax          int  `json:"page_max"`

	CheckSupported    bool `json:"check_supported"`    // trade_check, uncharge_check
	UnchargeSupported bool `json:"uncharge_supported"` // 免授权冲正
	ChargeIdempotent  bool `json:"charge_idempotent"`  // the same charge twice is one; else the second is refused
	LockMinutes       int  `json:"lock_minutes"`       // life of a slot's lock
}

// The demo's keys and users, as GET /_sim/config gives them.
const (
	RESTKey      = "hospay"
	RESTSecret   = "demo-his-secret-7c1e5a90"
	SOAPUser     = "hospay"
	SOAPPassword = "demo-his-password"

	// What the HIS signs its own requests to hospay with.
	VendorKey   = "demo-his-vendor-key-5f0c2d9b71e4"
	VendorSN    = "3f6936d7demo0001"
	VendorToken = "demo-sm4-token-1"
)

// Server is the HIS.
type Server struct {
	*sim.Core
	world    *world.World
	books    *books
	desk     *desk
	behind   Insurance
	settings *sim.Settings[Settings]
	byName   map[string]*operation
	byCode   map[string]*operation
}

// New makes a HIS for the people of w.
func New(w *world.World) *Server { return open(w, "his", "H") }

// Second makes another HIS for the same people, with books and numbers of its
// own: it knows nothing of what the first has done.
func Second(w *world.World) *Server { return open(w, "his-2", "K") }

func open(w *world.World, name, prefix string) *Server {
	s := &Server{Core: sim.NewCore(name), world: w, byName: map[string]*operation{}, byCode: map[string]*operation{},
		settings: sim.NewSettings(Settings{ReverseSupported: true, QuerySupported: true, PageMax: 500, CheckSupported: true,
			UnchargeSupported: true, ChargeIdempotent: true, LockMinutes: 20})}
	s.books, s.desk = newBooks(w, s.Clock(), s.Ledger(), prefix), newDesk(w, s.Clock(), s.Ledger(), prefix)
	for _, op := range slices.Concat(operations, payOperations) {
		s.byName[op.name], s.byCode[op.tradeCode] = &op, &op
	}
	s.Mux().HandleFunc("POST /rest/{op}", s.rest)
	s.Mux().HandleFunc("/soap/utf8", s.soap(false))
	s.Mux().HandleFunc("/soap/gbk", s.soap(true))
	s.Mux().HandleFunc("POST /_sim/bills", s.postBill)
	s.Mux().HandleFunc("GET /_sim/bills", func(w http.ResponseWriter, _ *http.Request) {
		sim.WriteJSON(w, 200, map[string]any{"bills": s.Bills()})
	})
	s.MountControl(sim.Control{Config: s.config, Settings: s.settings, Reset: s.clear, History: s.books.past,
		Actions: map[string]sim.Action{"card": s.SetCard, "deposit": s.addDeposit, "window": s.payAtWindow, "price": s.setPrice,
			"dispense": s.dispense, "slot": s.setPlaces, "insured": s.SetInsured, "charge": s.spoil}})
	return s
}

func (s *Server) clear() {
	s.books.clear()
	s.desk.clear()
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

func (s *Server) config(url.Values) (any, error) {
	return map[string]string{"base_url": s.URL(), "rest_url": s.URL() + "/rest", "rest_key": RESTKey, "rest_secret": RESTSecret,
		"soap_utf8_url": s.URL() + "/soap/utf8", "soap_gbk_url": s.URL() + "/soap/gbk", "soap_namespace": namespace,
		"soap_action": namespace + "/Call", "soap_user": SOAPUser, "soap_password": SOAPPassword,
		"vendor_key": VendorKey, "vendor_sn": VendorSN, "vendor_token": VendorToken, "vendor_public": s.vendorPublic()}, nil
}

// SetCard freezes a card or leaves an unpaid bill on it: ?status=frozen|normal&unpaid=true|false.
func (s *Server) SetCard(cardNo string, q url.Values) error {
	return s.books.with(cardNo, func(a *account) {
		if st := q.Get("status"); st != "" {
			a.frozen = st == "frozen"
		}
		if u := q.Get("unpaid"); u != "" {
			a.unpaid = u == "true"
		}
	})
}

// Balance is the sum of what is left on a card, in fen; -1 for an unknown card.
func (s *Server) Balance(cardNo string) int64 {
	sum := int64(-1)
	s.books.with(cardNo, func(a *account) { sum = a.balance() })
	return sum
}

func (s *Server) addDeposit(cardNo string, q url.Values) error {
	amount, err := strconv.ParseInt(q.Get("amount"), 10, 64)
	if err != nil || amount <= 0 {
		return fmt.Errorf("amount must be fen, got %q", q.Get("amount"))
	}
	method := q.Get("method")
	if method == "" {
		method = world.Cash
	}
	return s.books.with(cardNo, func(a *account) {
		no := fmt.Sprintf("D%s%02d", strings.TrimPrefix(cardNo, "C"), len(a.deposits)+1)
		d := &world.Deposit{No: no, Card: cardNo, Amount: amount, Method: method, PaidAt: s.Clock().Now(), Patient: a.card.Patient}
		a.deposits = append(a.deposits, &deposit{d, amount})
	})
}

// execute runs an operation when the HIS offers it, and tells it as a lie has it.
func (s *Server) execute(op *operation, in input, f sim.Fault) (record, error) {
	set := s.settings.Get()
	if strings.HasPrefix(op.name, "query_") && !set.QuerySupported || strings.HasSuffix(op.name, "charge_check") && !set.CheckSupported ||
		op.name == "trade_check" && !set.CheckSupported {
		return nil, &refusal{"1400", "参数错误：不支持的交易"}
	}
	out, err := op.run(s, in, f)
	if err != nil || !f.Lie() {
		return out, err
	}
	return s.lie(f.Kind, out), nil
}

// restDialect speaks JSON; its answers are not signed.
type restDialect struct{}

// The refusals that no repeat mends are codes that stand in no list.
var failures = map[string]refusal{sim.InvalidRequest: {"2001", "超过退款限制"}, sim.NoAuth: {"2002", "接口未开通"},
	sim.IPNotAllowed:   {"2003", "IP未授权"},
	sim.OpenidOtherApp: {"2004", "患者标识不属于本机构"}, sim.QuotaExceeded: {"2005", "当日退款额度已用完"},
	"500": {"9999", "系统异常"}, "system_error": {"9999", "系统异常"}, "unknown_code": {"8765", "未知返回"},
	"rate_limited": {"1429", "请求过于频繁"}, "not_enough": {"1004", "余额不足"}}

// planned is the refusal that a planned failure stands for.
func planned(f sim.Failure) refusal {
	if f.Kind == sim.Refuse {
		return refusal{f.Code, f.Message}
	}
	return failures[f.Kind]
}

// Fail builds the error answers of README.md.
func (restDialect) Fail(f sim.Failure) *sim.Reply {
	r, status := planned(f), max(f.Status, 200)
	if r.code == "9999" {
		status = 500
	}
	return sim.JSONReply(status, map[string]string{"code": r.code, "message": r.message})
}

// Seal sends the body as it is.
func (restDialect) Seal(_ http.Header, r *sim.Reply, _ sim.Seal) []byte { return r.Body }

func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	mac := hmac.New(sha256.New, []byte(RESTSecret))
	mac.Write(body)
	want := hex.EncodeToString(mac.Sum(nil))
	if err != nil || r.Header.Get("X-His-Key") != RESTKey || !hmac.Equal([]byte(want), []byte(r.Header.Get("X-His-Sign"))) {
		sim.WriteJSON(w, http.StatusUnauthorized, map[string]string{"code": "1401", "message": "认证失败"})
		return
	}
	op := s.byName[r.PathValue("op")]
	if op == nil || !gjson.ValidBytes(body) {
		sim.WriteJSON(w, 200, map[string]string{"code": "1400", "message": "参数错误"})
		return
	}
	in := input{}
	gjson.ParseBytes(body).ForEach(func(k, v gjson.Result) bool { in[k.String()] = v.String(); return true })
	s.Serve(w, restDialect{}, op.call(in), func(f sim.Fault) *sim.Reply {
		out, err := s.execute(op, in, f)
		if err != nil {
			f := err.(*refusal)
			return sim.JSONReply(200, map[string]string{"code": f.code, "message": f.message})
		}
		return &sim.Reply{Status: 200, Type: "application/json; charset=utf-8",
			Body: []byte(`{"code":"0","message":"成功","data":` + out.json() + `}`)}
	})
}

// json writes the fields in their order.
func (r record) json() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + f.name + `":`)
		rows, list := f.value.([]record)
		if !list {
			b.Write(sim.JSON(f.value))
			continue
		}
		b.WriteByte('[')
		for k, row := range rows {
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString(row.json())
		}
		b.WriteByte(']')
	}
	b.WriteByte('}')
	return b.String()
}
