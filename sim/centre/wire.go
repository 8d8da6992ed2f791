package centre

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"hospay/sim"
)

// thing is a JSON object.
type thing = map[string]any

// compact writes JSON as the centre signs it: keys in order, nothing empty, no
// blanks, Chinese and < > & as they are; words makes every leaf a string.
func compact(v any, words bool) string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return string(sim.JSON(v))
		}
	case json.Number:
		return leaf(v.String(), words)
	case bool:
		return leaf(strconv.FormatBool(v), words)
	case []any:
		var parts []string
		for _, x := range v {
			if s := compact(x, words); s != "" {
				parts = append(parts, s)
			}
		}
		if parts != nil {
			return "[" + strings.Join(parts, ",") + "]"
		}
	case thing:
		var parts []string
		for _, k := range names(v) {
			if s := compact(v[k], words); s != "" {
				parts = append(parts, string(sim.JSON(k))+":"+s)
			}
		}
		if parts != nil {
			return "{" + strings.Join(parts, ",") + "}"
		}
	}
	return ""
}

func leaf(s string, words bool) string {
	if words {
		return strconv.Quote(s)
	}
	return s
}

func names(m thing) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// signing is the text under a signature.
func signing(envelope thing, secret string, words bool) string {
	var parts []string
	for _, k := range names(envelope) {
		switch k {
		case "signData", "encData", "extra":
			continue
		}
		text := compact(envelope[k], words)
		if s, isText := envelope[k].(string); isText {
			text = s
		} else if _, isTree := envelope[k].(thing); !isTree {
			text = strings.Trim(text, `"`)
		}
		if text != "" {
			parts = append(parts, k+"="+text)
		}
	}
	return strings.Join(append(parts, "key="+secret), "&")
}

// read parses an object and keeps the digits of its numbers.
func read(raw []byte) (m thing, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&m) != nil || m == nil {
		return nil, false
	}
	_, err := d.Token()
	return m, err == io.EOF
}

// str is a leaf as text.
func str(m thing, key string) string {
	switch v := m[key].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// refusal is an answer that says no. Its codes are the simulator's own but for
// 114: no public text has the centre's table.
type refusal struct{ code, text string }

func (r refusal) with(more string) *refusal { return &refusal{r.code, r.text + "：" + more} }

// Codes of the simulator, with their meaning; GET /_sim/config tells them too.
var (
	noField     = refusal{"1001", "参数错误"}
	badSign     = refusal{"1002", "验签失败"}
	badTime     = refusal{"1003", "时间戳超出允许范围"}
	noApp       = refusal{"1004", "应用不存在"}
	badData     = refusal{"1005", "报文解密失败"}
	otherApp    = refusal{"114", "授权的应用编号与调用的不一致"}
	noOrder     = refusal{"2001", "支付订单不存在"}
	repeated    = refusal{"2002", "订单号或流水号重复"}
	unequal     = refusal{"2003", "明细总额不一致"}
	noAuth      = refusal{"2004", "支付授权无效或已过期"}
	badState    = refusal{"2005", "订单状态不允许该操作"}
	badToken    = refusal{"2006", "支付令牌不正确"}
	otherPerson = refusal{"2007", "人员信息不一致"}
	badAmount   = refusal{"2008", "退款金额不正确"}
	system      = refusal{"5000", "系统异常"}
)

// opening verifies an envelope and shows its data.
func (s *Server) opening(raw []byte) (thing, *refusal) {
	m, ok := read(raw)
	if !ok {
		return nil, noField.with("报文不是JSON")
	}
	set := s.settings.Get()
	if str(m, "appId") != AppID {
		return nil, &noApp
	}
	if str(m, "encType") != "SM4" || str(m, "signType") != "SM2" || str(m, "version") != set.Version {
		return nil, noField.with("encType、signType或version")
	}
	if at, ok := moment(str(m, "timestamp")); !ok || time.Since(at).Abs() > time.Duration(set.ClockSkewSec)*time.Second {
		return nil, &badTime
	}
	text, ok := s.code.show(str(m, "encData"))
	if !ok {
		return nil, &badData
	}
	data, ok := read(text)
	if !ok {
		return nil, &badData
	}
	m["data"] = data
	for _, words := range []bool{true, false} {
		if signedBy(&s.hospital.key.PublicKey, set.userID(), signing(m, AppSecret, words), str(m, "signData")) {
			return data, nil
		}
	}
	return nil, &badSign
}

// moment reads yyyyMMddHHmmss or milliseconds.
func moment(s string) (time.Time, bool) {
	if len(s) == 14 {
		t, err := time.ParseInLocation("20060102150405", s, sim.Beijing)
		return t, err == nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return time.UnixMilli(n), err == nil && len(s) == 13
}

// answer is what will be said; it travels as the body of a sim.Reply until
// Seal makes an envelope of it.
type answer struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    thing  `json:"data"`
	Stale   bool   `json:"stale"`
	Bare    bool   `json:"bare"` // success without data and signature
	Open    bool   `json:"open"` // an error that is never signed
}

func (a answer) reply(status int) *sim.Reply { return sim.JSONReply(status, a) }

func (r refusal) reply(open bool) *sim.Reply {
	return answer{Code: r.code, Message: r.text, Open: open}.reply(200)
}

// failures are the answers of planned errors.
var failures = map[string]refusal{"500": system, "system_error": system, "unknown_code": {"360053", "业务处理失败"},
	"rate_limited": {"1429", "请求过于频繁"}, "not_enough": {"1430", "额度不足"},
	sim.InvalidRequest: {"2101", "预结算金额不匹配"}, sim.NoAuth: {"2102", "机构未开通移动支付"}, sim.IPNotAllowed: {"2103", "地址未授权"},
	sim.OpenidOtherApp: otherApp, sim.QuotaExceeded: {"2104", "当日次数已用完"}}

// Fail builds planned errors.
func (s *Server) Fail(f sim.Failure) *sim.Reply {
	r := failures[f.Kind]
	if f.Kind == sim.Refuse {
		r = refusal{f.Code, f.Message}
	}
	status := max(f.Status, 200)
	if f.Kind == "500" {
		status = 500
	}
	return answer{Code: r.code, Message: r.text}.reply(status)
}

// Seal makes the envelope of an answer.
func (s *Server) Seal(_ http.Header, r *sim.Reply, how sim.Seal) []byte {
	var a answer
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	if d.Decode(&a) != nil {
		return r.Body
	}
	return s.envelope(a, how)
}

// envelope writes, signs and encrypts, with the habits of the settings.
func (s *Server) envelope(a answer, how sim.Seal) []byte {
	set, good := s.settings.Get(), a.Code == "0"
	m := thing{"code": s.number(a.Code), "success": good, "message": a.Message}
	if a.Bare || a.Open || !good && !set.ErrorsSigned {
		return sim.JSON(m)
	}
	now := time.Now()
	if a.Stale {
		now = now.Add(-time.Hour)
	}
	m["appId"], m["encType"], m["signType"], m["version"], m["timestamp"] = AppID, "SM4", "SM2", set.Version, set.stamp(now)
	if a.Data != nil {
		m["data"] = a.Data
		if set.Numbers {
			m["data"] = numbered(a.Data)
		}
		m["encData"] = s.code.hide([]byte(compact(m["data"], false)))
		if set.HexLower {
			m["encData"] = strings.ToLower(str(m, "encData"))
		}
	}
	m["signData"] = s.signed(signing(m, AppSecret, set.Words), how)
	delete(m, "data")
	if how == sim.SealNone {
		delete(m, "signData")
	}
	if !set.AnswerApp {
		delete(m, "appId")
	}
	if set.Wrapper != "" {
		return sim.JSON(thing{"code": 200, set.Wrapper: m})
	}
	return sim.JSON(m)
}

// number is a code as the settings write it.
func (s *Server) number(code string) any {
	if _, err := strconv.Atoi(code); err != nil || s.settings.Get().CodeAsText {
		return code
	}
	return json.Number(code)
}

// numbered is data whose amounts and states are numbers, as in some places.
func numbered(data thing) thing {
	out := thing{}
	for k, v := range data {
		out[k] = v
		text, _ := v.(string)
		if _, amount := sim.Fen(text); amount && (strings.Contains(text, ".") || k == "ordStas") {
			out[k] = json.Number(text)
		}
	}
	return out
}

func (s *Server) signed(text string, how sim.Seal) string {
	switch how {
	case sim.SealGood:
		return s.platform.signature(s.settings.Get().userID(), text)
	case sim.SealOtherKey:
		return s.hospital.signature(s.settings.Get().userID(), text)
	}
	return sim.Spoil(s.platform.signature(s.settings.Get().userID(), text))
}
