package sms

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hospay/calendar"
	"hospay/internal/wire"
	"hospay/notify"

	"github.com/tidwall/gjson"
	"golang.org/x/text/encoding"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// Gateway sends short messages through one configured address.
type Gateway struct {
	cfg     Config
	url     *url.URL
	charset encoding.Encoding
	quiet   quiet
	match   *regexp.Regexp
	http    *http.Client
}

// NewGateway checks the configuration, in Chinese for the person who makes it.
func NewGateway(cfg Config) (*Gateway, error) {
	cfg.defaults()
	g := &Gateway{cfg: cfg}
	var err error
	if g.url, err = cfg.address(); err != nil {
		return nil, err
	}
	if g.charset, err = cfg.encoding(); err != nil {
		return nil, err
	}
	if g.quiet, err = parseQuiet(cfg.QuietFrom, cfg.QuietTo); err != nil {
		return nil, err
	}
	if cfg.Success.Path != "" && len(cfg.Success.Values) == 0 {
		return nil, errors.New("短信设置的 success 有 path，但没有列出成功的 values")
	}
	if cfg.Success.Match != "" {
		if g.match, err = regexp.Compile(cfg.Success.Match); err != nil {
			return nil, errors.New("短信设置的 success.match 不是有效的正则表达式")
		}
	}
	if err := cfg.checkPlaces(); err != nil {
		return nil, err
	}
	if err := g.checkBody(); err != nil {
		return nil, err
	}
	g.http, err = wire.Client(wire.Rules{Only: g.url, Limit: maxAnswer, Inner: cfg.Transport})
	return g, err
}

// checkBody fills the template with hostile values: it must stay valid.
func (g *Gateway) checkBody() error {
	if _, err := g.fill(message{phone: "13900001234", text: "x", id: "x"}); err != nil {
		return errors.New("短信设置的 body 或 sign 含有字符集之外的字符")
	}
	switch g.cfg.ContentType {
	case "json":
		if !json.Valid([]byte(g.template())) {
			return errors.New("短信设置的 body 填写后不是有效的 JSON（占位符要放在引号内）")
		}
	case "xml":
		if strings.Contains(g.cfg.Body, "<![CDATA[") || !wellFormed(g.template()) {
			return errors.New("短信设置的 body 填写后不是有效的 XML（占位符要放在标签之内，不用 CDATA）")
		}
	case "form":
	default:
		return errors.New("短信设置的 content_type 应为 form、json 或 xml")
	}
	return nil
}

// template is the body with a harmful text in every place, in UTF-8.
func (g *Gateway) template() string {
	return place.ReplaceAllStringFunc(g.cfg.Body, func(string) string { return g.escape(`a b<&>"'`) })
}

func wellFormed(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		if _, err := d.Token(); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// message is what one request carries.
type message struct{ phone, text, id string }

// escape makes a value fit for the content type.
func (g *Gateway) escape(s string) string {
	switch g.cfg.ContentType {
	case "json":
		b, err := json.Marshal(s)
		if err != nil {
			return ""
		}
		return string(b[1 : len(b)-1])
	case "xml":
		var b bytes.Buffer
		if xml.EscapeText(&b, []byte(s)) != nil {
			return ""
		}
		return b.String()
	}
	raw, err := g.charset.NewEncoder().String(s) // percent signs stand for bytes of the charset
	if err != nil {
		return ""
	}
	return url.QueryEscape(raw)
}

// twins are characters of our texts that GBK lacks, and what stands for them.
var twins = strings.NewReplacer("¥", "￥", "\u00a0", " ")

// values are the places of a request, unescaped.
func (g *Gateway) values(m message) (map[string]string, error) {
	if g.charset != encoding.Nop {
		m.text = twins.Replace(m.text)
	}
	v := map[string]string{"phone": m.phone, "text": m.text, "id": m.id, "time": g.cfg.Now().In(calendar.Beijing).Format(g.cfg.TimeLayout)}
	for k, s := range g.cfg.Secrets {
		v["secret."+k] = s
	}
	signed, err := g.charset.NewEncoder().Bytes([]byte(replace(g.cfg.Sign, v, func(s string) string { return s })))
	if err != nil {
		return nil, fmt.Errorf("%w: text has characters outside %s", notify.ErrRefused, g.cfg.Charset)
	}
	if _, err := g.charset.NewEncoder().String(m.text); err != nil {
		return nil, fmt.Errorf("%w: text has characters outside %s", notify.ErrRefused, g.cfg.Charset)
	}
	mac := hmac.New(sha256.New, []byte(g.cfg.Secrets["sign_key"]))
	mac.Write(signed)
	sum, sum256 := md5.Sum(signed), sha256.Sum256(signed)
	for name, digest := range map[string][]byte{"sign.md5": sum[:], "sign.sha256": sum256[:], "sign.hmac_sha256": mac.Sum(nil)} {
		v[name] = hex.EncodeToString(digest)
		if g.cfg.SignUpper {
			v[name] = strings.ToUpper(v[name])
		}
	}
	return v, nil
}

func replace(template string, values map[string]string, escape func(string) string) string {
	return place.ReplaceAllStringFunc(template, func(p string) string {
		if v, ok := values[p[1:len(p)-1]]; ok {
			return escape(v)
		}
		return p
	})
}

// fill makes the bytes of a body.
func (g *Gateway) fill(m message) ([]byte, error) {
	v, err := g.values(m)
	if err != nil {
		return nil, err
	}
	body, err := g.charset.NewEncoder().Bytes([]byte(replace(g.cfg.Body, v, g.escape)))
	if err != nil || g.cfg.ContentType != "form" {
		return body, err
	}
	var b bytes.Buffer
	for _, c := range body { // what the template itself says is not escaped yet
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.Bytes(), nil
}

func (g *Gateway) request(ctx context.Context, m message) (*http.Request, error) {
	body, err := g.fill(m)
	if err != nil {
		return nil, err
	}
	v, err := g.values(m)
	if err != nil {
		return nil, err
	}
	u := *g.url
	if g.cfg.Method == http.MethodGet {
		u.RawQuery, body = string(body), nil
	}
	req, err := http.NewRequestWithContext(ctx, g.cfg.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, wire.Plain("sms", wire.ErrAddress)
	}
	kind := map[string]string{"form": "application/x-www-form-urlencoded", "json": "application/json", "xml": "text/xml"}[g.cfg.ContentType]
	req.Header.Set("Content-Type", kind+"; charset="+g.cfg.Charset)
	for k, t := range g.cfg.Headers {
		req.Header.Set(k, replace(t, v, func(s string) string { return s }))
	}
	return req, nil
}

var phoneForm = regexp.MustCompile(`^\+?[0-9]{8,15}$`)

// Send sends one message. In quiet hours it returns a *notify.Later. Its errors
// hold neither the number nor the text nor a key.
func (g *Gateway) Send(ctx context.Context, id, phone, text string) (string, error) {
	if until := g.quiet.until(g.cfg.Clock()); !until.IsZero() {
		return "", &notify.Later{At: until}
	}
	if !phoneForm.MatchString(phone) {
		return "", fmt.Errorf("%w: phone number is not one", notify.ErrRefused)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(g.cfg.TimeoutMS)*time.Millisecond)
	defer cancel()
	req, err := g.request(ctx, message{phone, text, id})
	if err != nil {
		return "", err
	}
	res, err := g.http.Do(req)
	if err != nil {
		return "", wire.Plain("sms", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("sms: HTTP %d", res.StatusCode)
	}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return "", wire.Plain("sms", err)
	}
	return g.judge(data)
}

// judge reads the gateway's answer.
func (g *Gateway) judge(data []byte) (string, error) {
	if !utf8.Valid(data) {
		if text, err := g.charset.NewDecoder().Bytes(data); err == nil {
			data = text
		}
	}
	s := g.cfg.Success
	if g.match != nil && !g.match.Match(data) {
		return "", errors.New("sms: answer is no success")
	}
	isJSON := gjson.ValidBytes(data)
	if s.Path != "" {
		if !isJSON {
			return "", errors.New("sms: answer is not JSON")
		}
		code := gjson.GetBytes(data, s.Path).String()
		if slices.Contains(s.Refused, code) {
			return "", fmt.Errorf("%w: code %.40s", notify.ErrRefused, code)
		}
		if code == "" || !slices.Contains(s.Values, code) {
			return "", errors.New("sms: code " + safeCode(code))
		}
	}
	if s.ID == "" || !isJSON {
		return "", nil
	}
	return safeCode(gjson.GetBytes(data, s.ID).String()), nil
}

var (
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)
	phoneIn  = regexp.MustCompile(`(^|[^0-9])1[3-9][0-9]{9}([^0-9]|$)`)
)

// safeCode drops what does not look like a code or number of the gateway.
func safeCode(s string) string {
	if !codeForm.MatchString(s) || phoneIn.MatchString(s) {
		return "unreadable"
	}
	return s
}
