package wechat

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hospay/sim"
)

// apiError is an error body; Status is the HTTP status.
type apiError struct {
	Status  int            `json:"-"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Detail  map[string]any `json:"detail,omitempty"`
	Tail    string         `json:"-"` // finer code at the end of Request-ID
}

func refuse(status int, code, message string) *apiError {
	return &apiError{Status: status, Code: code, Message: message}
}

func paramError(message string) *apiError     { return refuse(400, "PARAM_ERROR", message) }
func invalidRequest(message string) *apiError { return refuse(400, "INVALID_REQUEST", message) }

// request is an authenticated call; it also signs its answer.
type request struct {
	*http.Request
	m      *merchant
	op     string
	body   []byte
	serial string // names the key that signs the answer and decrypts fields
	tail   string // finer code of the answer
}

// plan is what a handler found out before anything is executed.
type plan struct {
	no   string
	hash any // business fields, plain text
	run  func(sim.Fault) (any, *apiError)
}

func failed(e *apiError) plan {
	return plan{run: func(sim.Fault) (any, *apiError) { return nil, e }}
}

// signed registers a path that checks the request signature.
func (s *Server) signed(pattern, op, alias string, h func(*merchant, *request) plan) {
	s.Mux().HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		m, e := s.authenticate(r, body)
		if e != nil {
			sim.WriteJSON(w, e.Status, e)
			return
		}
		q := &request{Request: r, m: m, op: alias, body: body}
		named := r.Header.Get("Wechatpay-Serial")
		if alias == "certificates" && named != m.publicKeyID {
			named = "" // a client that fetches certificates cannot name one yet
		}
		if q.serial, e = m.chooseSerial(named); e != nil {
			sim.WriteJSON(w, e.Status, e)
			return
		}
		p := h(m, q)
		s.Serve(w, q, sim.Call{Op: op, Alias: alias, No: p.no, Hash: sim.HashJSON(p.hash)}, func(f sim.Fault) *sim.Reply {
			v, e := p.run(f)
			if e == nil && v != nil {
				v = s.liar(alias).Tell(f, v)
			}
			if e != nil {
				q.tail = e.Tail
			}
			return reply(v, e)
		})
	})
}

func reply(v any, e *apiError) *sim.Reply {
	switch {
	case e != nil:
		return sim.JSONReply(e.Status, e)
	case v == nil:
		return &sim.Reply{Status: http.StatusNoContent}
	}
	return sim.JSONReply(200, v)
}

var authItem = regexp.MustCompile(`(\w+)="([^"]*)"`)

// authenticate checks the five signed lines over the raw body and finds the merchant.
func (s *Server) authenticate(r *http.Request, body []byte) (*merchant, *apiError) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	items := map[string]string{}
	for _, m := range authItem.FindAllStringSubmatch(rest, -1) {
		items[m[1]] = m[2]
	}
	sec, _ := strconv.ParseInt(items["timestamp"], 10, 64)
	age := time.Since(time.Unix(sec, 0)).Abs()
	text := r.Method + "\n" + r.URL.RequestURI() + "\n" + items["timestamp"] + "\n" + items["nonce_str"] + "\n" + string(body) + "\n"
	m := s.merchant(items["mchid"])
	switch {
	case scheme != "WECHATPAY2-SHA256-RSA2048" || items["nonce_str"] == "":
		return nil, signError("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》", "authorization")
	case m == nil || items["mchid"] == "":
		return nil, signError("商户号不存在", "mchid")
	case items["serial_no"] != serialOf(m.mchCert):
		return nil, signError("商户证书序列号有误。请使用签名私钥匹配的证书序列号", "serial_no")
	case age > 5*time.Minute:
		return nil, signError("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", "timestamp")
	case !sim.Verify(&m.mchKey.PublicKey, []byte(text), items["signature"]):
		return nil, signError("错误的签名，验签失败", "signature")
	case r.UserAgent() == "":
		return nil, paramError("Http头缺少User-Agent")
	}
	return m, nil
}

func signError(message, field string) *apiError {
	return &apiError{Status: http.StatusUnauthorized, Code: "SIGN_ERROR", Message: message,
		Detail: map[string]any{"field": field, "issue": "sign not match", "location": "authorization"}}
}

// chooseSerial maps the request's Wechatpay-Serial to the key of the answer.
func (m *merchant) chooseSerial(named string) (string, *apiError) {
	certs := m.settings.Get().PlatformCertificate
	switch {
	case named == m.publicKeyID:
		return m.publicKeyID, nil
	case named == "" && certs, named == serialOf(m.platCert) && certs:
		return serialOf(m.platCert), nil
	case named == "":
		return m.publicKeyID, nil
	}
	return "", paramError("平台证书序列号Wechatpay-Serial错误")
}

func (m *merchant) keyOf(serial string) *rsa.PrivateKey {
	if serial == m.publicKeyID {
		return m.pubKey
	}
	return m.certKey
}

// refusals are answers that no repeat mends. The status of a used-up quota is
// that of the older interfaces.
var refusals = map[string]*apiError{
	sim.InvalidRequest: invalidRequest("超过单笔转账上下限，核实产品设置是否准确"),
	sim.NoAuth:         refuse(403, "NO_AUTH", "当前商户号没有相关权限"),
	sim.IPNotAllowed:   invalidRequest("此IP地址不允许调用接口，请按开发指引设置"),
	sim.OpenidOtherApp: invalidRequest("openid与商户appid不匹配"),
	sim.QuotaExceeded:  refuse(429, "QUOTA_EXCEED", "超出商户单日转账额度"),
	"unknown_code":     refuse(400, "CODE_NOT_IN_ANY_LIST", "未知的错误"),
}

// Fail builds planned errors.
func (q *request) Fail(f sim.Failure) *sim.Reply {
	code := "FREQUENCY_LIMIT_EXCEED"
	if q.op != "transfer" && q.op != "cancel" {
		code = "FREQUENCY_LIMITED"
	}
	e := refusals[f.Kind]
	switch {
	case f.Kind == sim.InvalidRequest && q.op == "refund":
		e = invalidRequest("订单已全额退款")
	case e != nil:
	case f.Kind == sim.Refuse:
		e = refuse(max(f.Status, 400), f.Code, f.Message)
	case f.Kind == "rate_limited":
		e = refuse(429, code, "请求过于频繁，请降低频率后重试")
	case f.Kind == "not_enough":
		e = notEnough(q.op == "transfer")
	default:
		e = refuse(500, "SYSTEM_ERROR", "系统异常，请使用相同参数稍后重新调用")
	}
	return reply(nil, e)
}

func notEnough(transfer bool) *apiError {
	if transfer {
		return refuse(403, "NOT_ENOUGH", "商户运营账户资金不足，充值后可以原单号发起重试，请勿更换商户单号")
	}
	return refuse(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
}

// Seal signs an answer with the key that the request asked for.
func (q *request) Seal(h http.Header, r *sim.Reply, how sim.Seal) []byte {
	h.Set("Request-ID", "08"+strings.ToUpper(sim.Token(16))+"-"+cmp.Or(q.tail, "268435456"))
	q.m.sealHeaders(h, q.serial, r.Body, how)
	return r.Body
}

// sealHeaders writes the Wechatpay-* headers for a body.
func (m *merchant) sealHeaders(h http.Header, serial string, body []byte, how sim.Seal) {
	if how == sim.SealNone {
		return
	}
	stamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), sim.Token(16)
	signature := sim.Sign(m.keyOf(serial), bytes.Join([][]byte{[]byte(stamp), []byte(nonce), body, nil}, []byte("\n")))
	switch how {
	case sim.SealBad:
		signature = sim.Spoil(signature)
	case sim.SealProbe:
		signature = "WECHATPAY/SIGNTEST/" + sim.Spoil(signature)
	case sim.SealOtherKey:
		serial = "PUB_KEY_ID_0119000001099999999999999999"
	}
	h.Set("Wechatpay-Timestamp", stamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature", signature)
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
}

// decrypt opens a sensitive field with the key that the request named.
func (q *request) decrypt(text string) (string, *apiError) {
	if text == "" {
		return "", nil
	}
	if q.Header.Get("Wechatpay-Serial") == "" {
		return "", paramError("请求包含敏感信息，Http头缺少Wechatpay-Serial")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		raw, err = rsa.DecryptOAEP(sha1.New(), nil, q.m.keyOf(q.serial), raw, nil)
	}
	if err != nil {
		return "", paramError("敏感信息解密失败，请检查加密使用的公钥与Wechatpay-Serial是否一致")
	}
	return string(raw), nil
}

// read decodes the JSON body.
func (q *request) read(v any) *apiError {
	if err := json.Unmarshal(q.body, v); err != nil {
		return paramError("请求体不是合法的JSON或字段类型错误")
	}
	return nil
}
