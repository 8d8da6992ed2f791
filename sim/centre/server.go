// Package centre simulates an insurance centre (医保移动支付中心): the envelope
// with SM2 and SM4, orders with their states, the split of what insurance and
// patient pay, and the notice to the hospital (6302).
//
// It is written from public descriptions of the wire. How much an insurance pays
// here follows demo rules, not any policy.
package centre

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// The one hospital of this centre. Application and secret are the sample of the
// published document.
const (
	AppID     = "43AF047BBA47FC8A1AE8EFB232BDBBCB"
	AppSecret = "4117E877F5FA0A0188891283E4B617D5"
	OrgCode   = "H44010000001"
	OrgName   = "演示医院"
	Area      = "440100"
)

// Settings can be changed through POST /_sim/settings. They hold everything
// that no public text confirms, and the habits of regions.
type Settings struct {
	Version       string  `json:"version"`
	SM2UserID     string  `json:"sm2_user_id"`   // "app_secret", "default" or the id itself
	ClockSkewSec  int     `json:"clock_skew"`    // of the time of requests
	Stamp         string  `json:"stamp"`         // "seconds" or "millis"
	CodeAsText    bool    `json:"code_as_text"`  // "0" instead of 0
	AnswerApp     bool    `json:"answer_app"`    // answers name the application
	HexLower      bool    `json:"hex_lower"`     // of encData
	Numbers       bool    `json:"numbers"`       // amounts and states are numbers
	Words         bool    `json:"words"`         // leaves are signed as text
	ErrorsSigned  bool    `json:"errors_signed"` // errors of the business are signed
	Wrapper       string  `json:"wrapper"`       // "", or what a relay puts around: data, output, body
	BareStates    bool    `json:"bare_states"`   // 6301 tells nothing but the state before the end
	MoneyOrder    string  `json:"money_order"`   // "cash_first" or "insurance_first": how /_sim/pay settles
	AnyCredential bool    `json:"any_credential"`
	AuthMinutes   int     `json:"auth_minutes"`       // life of a credential that was issued here
	RefundTotal   string  `json:"refund_total"`       // othFeeAmt in totlRefdAmt: "either", "with" or "without"
	RefundRepeat  bool    `json:"refund_repeat"`      // the same 6203 again is answered as before
	NoticeURL     string  `json:"notice_url"`         // where the hospital takes 6302
	NoticeForm    string  `json:"notice_form"`        // "sealed" or "plain"
	NoticeOwnPay  string  `json:"notice_own_pay"`     // "ownPayAmt" or "ownpayAmt"
	NoticeList    bool    `json:"notice_list"`        // setlinfo is a list
	NoticeCall    string  `json:"notice_call"`        // callType; 02 is success
	CallbackScale float64 `json:"callback_scale"`     // factor on the resend gaps
	Balance       int64   `json:"account_balance"`    // fen on everybody's account at the start
	FamilyPart    int64   `json:"family_part_pct"`    // percent of the account part that the family's account pays
	Tolerance     int64   `json:"line_tolerance"`     // fen between count × price and the sum of a line
	StrictFields  bool    `json:"strict_fields"`      // 6201 wants the whole list of required fields
	OtherInTotal  bool    `json:"other_fee_in_total"` // feeSumamt holds othFeeAmt
	StatementCode string  `json:"statement_code"`     // before the last digit of stmt_rslt: "" or "00010"
}

func defaults() Settings {
	return Settings{Version: "2.0.1", SM2UserID: "app_secret", ClockSkewSec: 600, Stamp: "seconds", AnswerApp: true, Words: true,
		ErrorsSigned: true, BareStates: true, MoneyOrder: "cash_first", AnyCredential: true, AuthMinutes: 10, RefundTotal: "either",
		RefundRepeat: true, NoticeForm: "sealed", NoticeOwnPay: "ownPayAmt", NoticeCall: "02", CallbackScale: 1, Balance: 50_000,
		FamilyPart: 0, Tolerance: 1, StrictFields: true, OtherInTotal: true}
}

func (s Settings) userID() string {
	switch s.SM2UserID {
	case "app_secret":
		return AppSecret
	case "default":
		return "1234567812345678"
	}
	return s.SM2UserID
}

func (s Settings) stamp(at time.Time) string {
	if s.Stamp == "millis" {
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	return at.In(sim.Beijing).Format("20060102150405")
}

// Server is the centre.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]
	hospital *pair
	platform *pair
	code     code
	books    *books
}

// New makes a centre for the people of w.
func New(w *world.World) (*Server, error) {
	s := &Server{Core: sim.NewCore("centre"), world: w, settings: sim.NewSettings(defaults()), code: codeOf(AppID, AppSecret)}
	var err error
	if s.hospital, err = pairOf("centre hospital"); err != nil {
		return nil, err
	}
	if s.platform, err = pairOf("centre platform"); err != nil {
		return nil, err
	}
	s.books = newBooks(s)
	s.Mux().HandleFunc("POST "+folder+"{op}", s.serve)
	s.Mux().HandleFunc("POST /_sim/split", s.postSplit)
	s.Mux().HandleFunc("GET /_sim/credential", s.getCredential)
	s.Mux().HandleFunc("GET /_sim/orders", func(w http.ResponseWriter, _ *http.Request) {
		sim.WriteJSON(w, 200, map[string]any{"orders": s.books.list()})
	})
	s.MountControl(sim.Control{Config: s.config, Settings: s.settings, Reset: s.books.clear,
		Actions: map[string]sim.Action{"pay": s.pay, "start": s.start, "reverse": s.reverse, "state": s.script, "expire": s.expire,
			"notify": s.tell, "statement": s.spoil}})
	return s, nil
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

const folder = "/org/local/api/hos/"

// operation is one transaction of the centre.
type operation struct {
	no, alias, path string
	number          string // field that holds our number
	run             func(*Server, thing, sim.Fault) (thing, *refusal)
}

// operations in the order of their numbers. One place writes the O of
// refund_Order large and another small, so paths are matched without case.
var operations = []operation{
	{"6201", "upload", "uldFeeInfo", "medOrgOrd", (*Server).upload},
	{"6202", "order", "pay_order", "orgBizSer", (*Server).order},
	{"6203", "refund", "refund_Order", "appRefdSn", (*Server).refund},
	{"6301", "query", "query_order_info", "", (*Server).query},
	{"6401", "undo", "revoke_order", "", (*Server).undo},
	{"3201", "totals", "stmt_totals", "insutype", (*Server).totals},
	{"3202", "detail", "stmt_detail", "file_qury_no", (*Server).detail},
	{"9101", "take", "file_upload", "filename", (*Server).take},
	{"9102", "give", "file_download", "file_qury_no", (*Server).give},
}

// Config is what a hospital gets from its centre.
type Config struct {
	BaseURL     string            `json:"base_url"`
	AppID       string            `json:"app_id"`
	AppSecret   string            `json:"app_secret"`
	OrgCode     string            `json:"org_code"`
	Area        string            `json:"area"`
	PrivateKey  string            `json:"private_key"`  // the hospital's, base64 of 32 bytes
	PublicKey   string            `json:"public_key"`   // the hospital's, base64 of 65 bytes
	PlatformKey string            `json:"platform_key"` // the centre's public key
	SM2UserID   string            `json:"sm2_user_id"`  // the id itself
	Version     string            `json:"version"`
	Paths       map[string]string `json:"paths"`
	Codes       map[string]string `json:"codes"` // of this simulator; the true table is not public
}

// Config gives the keys to Go tests.
func (s *Server) Config() Config {
	c := Config{BaseURL: s.URL(), AppID: AppID, AppSecret: AppSecret, OrgCode: OrgCode, Area: Area, PrivateKey: s.hospital.Private,
		PublicKey: s.hospital.Public, PlatformKey: s.platform.Public, SM2UserID: s.settings.Get().userID(),
		Version: s.settings.Get().Version, Paths: map[string]string{}, Codes: map[string]string{}}
	for _, op := range operations {
		c.Paths[op.no] = folder + op.path
	}
	for _, r := range []refusal{noField, badSign, badTime, noApp, badData, otherApp, noOrder, repeated, unequal, noAuth, badState, badToken,
		otherPerson, badAmount} {
		c.Codes[r.code] = r.text
	}
	return c
}

func (s *Server) config(url.Values) (any, error) { return s.Config(), nil }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(operations, func(op operation) bool { return strings.EqualFold(op.path, r.PathValue("op")) })
	raw, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if i < 0 || err != nil {
		http.NotFound(w, r)
		return
	}
	op := operations[i]
	data, refused := s.opening(raw)
	if refused != nil { // who has not proven anything is told nothing that is signed
		sim.Write(w, s, refused.reply(true), sim.SealGood, false)
		return
	}
	s.Serve(w, s, op.call(s, data), func(f sim.Fault) *sim.Reply {
		out, refused := op.run(s, data, f)
		if refused != nil {
			return refused.reply(false)
		}
		if told, ok := s.liar().Tell(f, out).(map[string]any); ok && out != nil {
			out = told
		}
		return answer{Code: "0", Message: "成功", Data: out, Stale: f.Kind == sim.StaleAnswer, Bare: f.Kind == sim.NoData}.reply(200)
	})
}

// call describes a request for the log and the faults. A query and an undo have
// no number of their own; theirs is that of the order.
func (op operation) call(s *Server, data thing) sim.Call {
	no := str(data, op.number)
	if op.number == "" {
		no = s.books.numberOf(str(data, "payOrdId"))
	}
	business := maps.Clone(data) // a credential is another one at every asking
	for _, secret := range []string{"payAuthNo", "ecToken", "payToken"} {
		delete(business, secret)
	}
	return sim.Call{Op: op.no, Alias: op.alias, No: no, Hash: sim.HashJSON(business)}
}

func (s *Server) liar() sim.Liar {
	return sim.Liar{Payee: []string{"psn_no", "ecCode"}, Merchant: []string{"orgCode"}, Number: []string{"payOrdId", "medOrgOrd", "refdSn"},
		Amount: []string{"feeSumamt", "ownPayAmt", "ownpayAmt", "psnAcctPay", "fundPay"},
		Other: func(_, v string) string {
			if v == "" {
				return "X"
			}
			return v[:len(v)-1] + map[bool]string{true: "2", false: "1"}[v[len(v)-1] == '1']
		}}
}

// getCredential is an authorisation as the channel's page would give it:
// ?patient=P0001, and &for=P0007 where a relative pays.
func (s *Server) getCredential(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	payer := s.world.Find(q.Get("patient"))
	patient := payer
	if q.Get("for") != "" {
		patient = s.world.Find(q.Get("for"))
	}
	if payer == nil || patient == nil {
		sim.WriteJSON(w, http.StatusNotFound, map[string]string{"error": "no such patient"})
		return
	}
	c := s.Authorise(payer, patient)
	sim.WriteJSON(w, 200, map[string]string{"pay_auth_no": c.PayAuthNo, "ec_token": c.EcToken, "name": payer.Name, "id_no": payer.IDNo,
		"until": c.until.Format(time.RFC3339)})
}

func (s *Server) postSplit(w http.ResponseWriter, r *http.Request) {
	var in Planned
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	if err == nil {
		err = s.Split(in)
	}
	if err != nil {
		sim.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	sim.WriteJSON(w, 200, in)
}

// Split decides what the next 6202 of a person is told.
func (s *Server) Split(p Planned) error {
	if p.IDNo == "" || min(p.Fund, p.Account, p.Family, p.Other, p.Hospital) < 0 || p.Family > p.Account || p.Hospital > p.Other {
		return fmt.Errorf("split of %q: parts are fen and not negative, family lies in account, hospital in other", p.IDNo)
	}
	s.books.plan(p)
	return nil
}
