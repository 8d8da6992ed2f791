package alipay

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"hospay/sim"
)

// call is one authenticated request; it also signs its answer.
type call struct {
	s      *Server
	app    *app
	method string
	form   url.Values
	biz    []byte
	aes    bool
}

// answer is the value inside the wrapper key.
type answer struct {
	code, subCode, subMsg string
	fields                any
	outer                 string // "error_response" replaces the wrapper key
	bare                  bool   // no code member
}

func done(fields any) *answer { return &answer{code: "10000", fields: fields} }

func refuse(subCode, subMsg string) *answer {
	return &answer{code: "40004", subCode: subCode, subMsg: subMsg}
}

var codeText = map[string]string{"10000": "Success", "10003": "order success pay inprocess", "20000": "Service Currently Unavailable",
	"20001": "Insufficient Authorization Rights", "40001": "Missing Required Arguments", "40002": "Invalid Arguments",
	"40003": "Insufficient Conditions",
	"40004": "Business Failed", "40005": "Call Limited", "40006": "Insufficient Permissions"}

// payload writes the compact JSON that is signed.
func (a *answer) payload() []byte {
	fields := []byte("{}")
	if a.fields != nil {
		fields = sim.JSON(a.fields)
	}
	if a.bare {
		return fields
	}
	head := map[string]string{"code": a.code, "msg": codeText[a.code]}
	text := `{"code":"` + head["code"] + `","msg":"` + head["msg"] + `"`
	if a.subCode != "" {
		text += `,"sub_code":` + string(sim.JSON(a.subCode)) + `,"sub_msg":` + string(sim.JSON(a.subMsg))
	}
	if len(fields) > 2 {
		text += "," + string(fields[1:])
	} else {
		text += "}"
	}
	return []byte(text)
}

func wrapper(method string) string { return strings.ReplaceAll(method, ".", "_") + "_response" }

// gateway takes every method: query and body are one set of parameters.
func (s *Server) gateway(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<20)
	if err := r.ParseForm(); err != nil {
		s.reject(w, "", "isv.invalid-parameter", "参数无法解析")
		return
	}
	method := r.Form.Get("method")
	a, sub, text := s.authenticate(r.Form)
	if sub != "" {
		s.reject(w, method, sub, text)
		return
	}
	c := &call{s: s, app: a, method: method, form: r.Form, biz: []byte(r.Form.Get("biz_content"))}
	if r.Form.Get("encrypt_type") == "AES" {
		c.aes = true
		if c.biz = decryptAES(r.Form.Get("biz_content")); c.biz == nil {
			s.reject(w, method, "isv.decryption-error-not-valid-encrypt-key", "解密出错")
			return
		}
	}
	c.dispatch(w)
}

func (c *call) dispatch(w http.ResponseWriter) {
	m, known := methods[c.method]
	if !known {
		sim.Write(w, c, c.reply(&answer{code: "40002", subCode: "isv.invalid-method", subMsg: "不存在的方法名"}), sim.SealGood, false)
		return
	}
	no, hash := m.number(c)
	c.s.Serve(w, c, sim.Call{Op: c.method, Alias: m.alias, No: no, Hash: hash}, func(f sim.Fault) *sim.Reply {
		if m.fundOut && c.app.cert == nil && !c.s.settings.Get().KeyModeFundOut {
			return c.reply(&answer{code: "40001", subCode: "isv.missing-app-cert-sn", subMsg: "缺少应用公钥证书序列号"})
		}
		a := m.run(c.app.m, c, f)
		if a.code == "10000" && a.fields != nil {
			told := *a
			told.fields, a = c.s.liar().Tell(f, a.fields), &told
		}
		return c.reply(a)
	})
}

// reply carries the unsigned payload; Seal wraps and signs it.
func (c *call) reply(a *answer) *sim.Reply {
	r := &sim.Reply{Status: 200, Type: "application/json;charset=utf-8", Body: a.payload()}
	if a.outer != "" {
		c.method = ""
	}
	return r
}

// reject answers what could not be authenticated: unsigned.
func (s *Server) reject(w http.ResponseWriter, method, sub, text string) {
	code := "40002"
	if strings.HasPrefix(sub, "isv.missing") {
		code = "40001"
	}
	key := wrapper(method)
	if method == "" {
		key = "error_response"
	}
	body := (&answer{code: code, subCode: sub, subMsg: text}).payload()
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Write([]byte(`{"` + key + `":` + string(body) + `}`))
}

// refusals are answers that no repeat mends: code, sub_code and text. The code
// of an address that is not allowed stands in no public text.
var refusals = map[string]answer{
	sim.InvalidRequest: {code: "40004", subCode: "EXCEED_LIMIT_SM_AMOUNT", subMsg: "单笔额度超限"},
	sim.NoAuth:         {code: "40004", subCode: "PRODUCT_NOT_SIGN", subMsg: "产品未签约"},
	sim.IPNotAllowed:   {code: "40006", subCode: "isv.illegal-client-ip", subMsg: "IP地址不在白名单内"},
	sim.OpenidOtherApp: {code: "40004", subCode: "PAYEE_IDENTITY_NOT_MATCH", subMsg: "收款方标识与应用不匹配"},
	sim.QuotaExceeded:  {code: "40004", subCode: "EXCEED_LIMIT_DM_AMOUNT", subMsg: "日累计额度超限"},
	"rate_limited":     {code: "40005", subCode: "isv.app-call-limited", subMsg: "应用调用次数超限，包含调用频率超限"},
}

// tradeRefusals are those of trades where they differ.
var tradeRefusals = map[string]answer{
	sim.InvalidRequest: {code: "40004", subCode: "ACQ.TRADE_NOT_ALLOW_REFUND", subMsg: "当前交易不允许退款"},
	sim.NoAuth:         {code: "40006", subCode: "isv.insufficient-isv-permissions", subMsg: "ISV权限不足"},
	sim.OpenidOtherApp: {code: "40004", subCode: "ACQ.USER_NOT_MATCH_ERR", subMsg: "交易用户不匹配"},
	sim.QuotaExceeded:  {code: "40004", subCode: "ACQ.REFUND_CHARGE_ERROR", subMsg: "退收费异常"},
	"not_enough":       {code: "40004", subCode: "ACQ.SELLER_BALANCE_NOT_ENOUGH", subMsg: "卖家余额不足"},
}

// Fail builds planned errors.
func (c *call) Fail(f sim.Failure) *sim.Reply {
	prefix := ""
	if strings.HasPrefix(c.method, "alipay.trade.") {
		prefix = "ACQ."
		if a, known := tradeRefusals[f.Kind]; known {
			return c.reply(&a)
		}
	}
	if a, known := refusals[f.Kind]; known {
		return c.reply(&a)
	}
	switch f.Kind {
	case "500":
		r := c.reply(&answer{code: "20000", subCode: "isp.unknow-error", subMsg: "系统繁忙"})
		r.Status = 500
		return r
	case "not_enough":
		return c.reply(refuse("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足"))
	case "unknown_code":
		return c.reply(refuse(prefix+"CODE_NOT_IN_ANY_LIST", "未知的错误"))
	case sim.Refuse:
		return c.reply(refuse(f.Code, f.Message))
	}
	return c.reply(refuse(prefix+"SYSTEM_ERROR", "系统繁忙"))
}

// Seal puts payload, certificate number and signature in the order that clients cut out textually.
func (c *call) Seal(_ http.Header, r *sim.Reply, how sim.Seal) []byte {
	payload := r.Body
	if c.aes {
		payload = sim.JSON(encryptAES(payload))
	}
	key := wrapper(c.method)
	if c.method == "" {
		key = "error_response"
	}
	out := append([]byte(`{"`+key+`":`), payload...)
	if c.app.cert != nil {
		out = append(out, `,"alipay_cert_sn":"`+c.s.alipayCertSN+`"`...)
	}
	if how != sim.SealNone {
		signature := sim.Sign(c.app.signer, payload)
		if how != sim.SealGood {
			signature = sim.Spoil(signature)
		}
		out = append(out, `,"sign":"`+signature+`"`...)
	}
	return append(out, '}')
}

// required are the common parameters in the order in which they are missed.
var required = []struct{ name, sub, text string }{
	{"method", "isv.missing-method", "缺少方法名参数"}, {"app_id", "isv.missing-app-id", "缺少AppID参数"}, {"sign", "isv.missing-signature", "缺少签名参数"},
	{"sign_type", "isv.missing-signature-type", "缺少签名类型参数"}, {"timestamp", "isv.missing-timestamp", "缺少时间戳参数"},
	{"version", "isv.missing-version", "缺少版本参数"},
}

// authenticate checks the common parameters; sub is empty when all is well.
func (s *Server) authenticate(f url.Values) (a *app, sub, text string) {
	for _, p := range required {
		if f.Get(p.name) == "" {
			return nil, p.sub, p.text
		}
	}
	a = s.app(f.Get("app_id"))
	at, err := time.ParseInLocation(time.DateTime, f.Get("timestamp"), sim.Beijing)
	drift := time.Duration(s.settings.Get().MaxTimestampDrift) * time.Second
	charset := strings.ToLower(f.Get("charset"))
	switch {
	case a == nil:
		return nil, "isv.invalid-app-id", "无效的AppID参数"
	case f.Get("sign_type") != "RSA2":
		return nil, "isv.invalid-signature-type", "无效签名类型"
	case f.Get("version") != "1.0":
		return nil, "isv.invalid-version", "无效的版本参数"
	case charset != "" && charset != "utf-8":
		return nil, "isv.invalid-charset", "字符集错误"
	case f.Get("format") != "" && strings.ToUpper(f.Get("format")) != "JSON":
		return nil, "isv.invalid-format", "无效的数据格式"
	case err != nil:
		return nil, "isv.invalid-timestamp", "非法的时间戳参数"
	case time.Since(at).Abs() > drift:
		return nil, "isv.illegal-timestamp", "时间戳已失效"
	}
	if sub, text = s.certificates(a, f); sub != "" {
		return nil, sub, text
	}
	if content := signContent(f, "sign"); !sim.Verify(&a.key.PublicKey, []byte(content), f.Get("sign")) {
		return nil, "isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：" + content
	}
	return a, "", ""
}

func (s *Server) certificates(a *app, f url.Values) (sub, text string) {
	switch {
	case a.cert == nil:
		return "", ""
	case f.Get("app_cert_sn") == "":
		return "isv.missing-app-cert-sn", "缺少应用公钥证书序列号"
	case f.Get("app_cert_sn") != a.certSN:
		return "isv.app-cert-not-exist", "应用公钥证书不存在"
	case f.Get("alipay_root_cert_sn") == "":
		return "isv.missing-alipay-root-cert-sn", "缺少支付宝根证书序列号"
	case f.Get("alipay_root_cert_sn") != s.rootSN:
		return "isv.invalid-alipay-root-cert-sn", "支付宝根证书序列号无效"
	}
	return "", ""
}

// signContent joins all non-empty parameters but the named ones, sorted, unescaped.
func signContent(f url.Values, without ...string) string {
	keys := make([]string, 0, len(f))
next:
	for k := range f {
		for _, w := range without {
			if k == w {
				continue next
			}
		}
		if f.Get(k) != "" {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k + "=" + f.Get(k)
	}
	return strings.Join(parts, "&")
}

// read decodes biz_content; an absent one counts as empty.
func (c *call) read(v any) *answer {
	if len(c.biz) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.biz, v); err != nil {
		return &answer{code: "40002", subCode: "isv.invalid-parameter", subMsg: "参数无效：biz_content"}
	}
	return nil
}

func aesBlock() cipher.Block {
	key, _ := base64.StdEncoding.DecodeString(AESKey)
	block, _ := aes.NewCipher(key)
	return block
}

func encryptAES(plain []byte) string {
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	plain = append(append([]byte{}, plain...), strings.Repeat(string(rune(pad)), pad)...)
	cipher.NewCBCEncrypter(aesBlock(), make([]byte, aes.BlockSize)).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}

// decryptAES returns nil for what was not encrypted with the application's key.
func decryptAES(text string) []byte {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil
	}
	cipher.NewCBCDecrypter(aesBlock(), make([]byte, aes.BlockSize)).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil
	}
	return raw[:len(raw)-pad]
}
