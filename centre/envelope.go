package centre

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/internal/sm4ecb"
)

// stampLayout is yyyyMMddHHmmss, Beijing time.
const stampLayout = "20060102150405"

// envelope signs and encrypts what is sent, and opens what comes.
type envelope struct {
	keys
	appID, secret string
	region        Region
	now           func() time.Time
}

// sealed is what goes over the wire: the order of the fields is the document's,
// and data is not among them.
type sealed struct {
	Code      string `json:"code,omitempty"` // of our answer to 6302
	Success   bool   `json:"success,omitempty"`
	Message   string `json:"message,omitempty"`
	AppID     string `json:"appId"`
	EncType   string `json:"encType"`
	SignType  string `json:"signType"`
	Timestamp string `json:"timestamp"`
	Version   string `json:"version"`
	EncData   string `json:"encData,omitempty"`
	SignData  string `json:"signData"`
}

// seal makes an envelope around business data; head carries what an answer says
// besides. The bytes that are encrypted are those that were signed.
func (e envelope) seal(head sealed, data any) ([]byte, error) {
	head.AppID, head.EncType, head.SignType = e.appID, "SM4", "SM2"
	head.Timestamp, head.Version = e.stamp(), e.region.Version
	signed := map[string]any{"appId": head.AppID, "encType": head.EncType, "signType": head.SignType, "timestamp": head.Timestamp,
		"version": head.Version, "code": head.Code, "message": head.Message, "data": data}
	if head.Success {
		signed["success"] = true
	}
	f := form{e.region.NumbersAsText, e.region.FoldCase}
	body := f.encode(data)
	if body != nil {
		secret, err := sm4ecb.Encrypt(e.content, body)
		if err != nil {
			return nil, err
		}
		head.EncData = strings.ToUpper(hex.EncodeToString(secret))
	}
	signature, err := e.sign(f.signText(signed, e.secret))
	if err != nil {
		return nil, err
	}
	head.SignData = signature
	return json.Marshal(head)
}

func (e envelope) stamp() string {
	now := e.now()
	if e.region.Stamp == StampMillis {
		return strconv.FormatInt(now.UnixMilli(), 10)
	}
	return now.In(calendar.Beijing).Format(stampLayout)
}

// opened is an envelope that came. Only a signed one proves anything.
type opened struct {
	Code, Message string
	Good          bool // the envelope speaks of success
	Signed        bool
	Data          record
}

// Why an envelope proves nothing.
var (
	errForm      = errors.New("应答格式不正确")
	errSignature = errors.New("应答签名不正确")
	errApp       = errors.New("应答属于另一个应用")
	errTime      = errors.New("应答时间过旧或超前")
)

// wrappers are what relays put around an envelope or its data; at most four.
var wrappers = []string{"data", "output", "body"}

const maxWrappers = 4

// open reads an envelope. age is how far its time may lie from now. An envelope
// without signature is opened, but not Signed and without data.
func (e envelope) open(body []byte, age time.Duration) (opened, error) {
	v, err := parse(body)
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		return opened{}, errForm
	}
	m = unwrap(m, func(m map[string]any) bool { return has(m, "signData") || has(m, "encData") })
	out := opened{Code: record(m).text("code"), Message: record(m).text("message")}
	out.Good = e.good(m)
	if !has(m, "signData") && !has(m, "encData") {
		return out, nil
	}
	if err := e.reveal(m); err != nil {
		return opened{}, err
	}
	if err := e.authentic(m, age); err != nil {
		return opened{}, err
	}
	out.Signed, out.Data = true, dataOf(m["data"])
	return out, nil
}

// reveal puts the decrypted data where the signature expects it.
func (e envelope) reveal(m map[string]any) error {
	if !has(m, "encData") {
		return nil
	}
	text, _ := m["encData"].(string)
	secret, err := hex.DecodeString(text) // either case
	if err != nil {
		return errForm
	}
	body, err := sm4ecb.Decrypt(e.content, secret)
	if err != nil {
		return errForm
	}
	data, err := parse(body)
	if err != nil {
		return errForm
	}
	m["data"] = data
	return nil
}

// authentic checks signature, application and time. A centre that leaves out
// the application has signed with ours; one that keeps numbers in its data has
// signed them as they are or as text.
func (e envelope) authentic(m map[string]any, age time.Duration) error {
	if record(m).text("appId") == "" {
		m["appId"] = e.appID
	}
	signature, _ := m["signData"].(string)
	good := false
	for _, text := range []bool{e.region.NumbersAsText, !e.region.NumbersAsText} {
		good = good || e.verify(form{text, e.region.FoldCase}.signText(m, e.secret), signature)
	}
	switch {
	case !good:
		return errSignature
	case record(m).text("appId") != e.appID:
		return errApp
	}
	at, err := readStamp(record(m).text("timestamp"))
	if d := e.now().Sub(at); err != nil || d > age || d < -age {
		return errTime
	}
	return nil
}

// good reports whether an envelope speaks of success: a listed code, and
// success not false. One that has neither says nothing.
func (e envelope) good(m map[string]any) bool {
	code, said := record(m).text("code"), record(m).text("success")
	listed := false
	for _, c := range e.region.SuccessCodes {
		listed = listed || code == c
	}
	return (listed || code == "" && said == "true") && (said == "" || said == "true")
}

// readStamp reads both forms of a timestamp.
func readStamp(s string) (time.Time, error) {
	if len(s) == len(stampLayout) {
		return time.ParseInLocation(stampLayout, s, calendar.Beijing)
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || len(s) != 13 {
		return time.Time{}, fmt.Errorf("time %d characters long", len(s))
	}
	return time.UnixMilli(ms), nil
}

func has(m map[string]any, key string) bool { return m[key] != nil && m[key] != "" }

// unwrap goes inward through what relays put around a thing, until it is found.
func unwrap(m map[string]any, found func(map[string]any) bool) map[string]any {
	at := m
	for range maxWrappers {
		if found(at) {
			return at
		}
		inner := map[string]any(nil)
		for _, w := range wrappers {
			if x, ok := at[w].(map[string]any); ok && inner == nil {
				inner = x
			}
		}
		if inner == nil {
			break
		}
		at = inner
	}
	if found(at) {
		return at
	}
	return m
}

// dataOf is the business object of signed data.
func dataOf(v any) record {
	m, _ := v.(map[string]any)
	return unwrap(m, func(m map[string]any) bool {
		return has(m, "payOrdId") || has(m, "ordStas") || has(m, "refStatus") || has(m, "refdSn") ||
			has(m, "stmt_rslt") || has(m, "file_qury_no") || has(m, "in")
	})
}

// record is a business object as it came.
type record map[string]any

// text is the first of some fields that has a value, whether it came as text,
// number or boolean.
func (d record) text(names ...string) string {
	for _, n := range names {
		switch v := d[n].(type) {
		case string:
			if s := strings.TrimSpace(v); s != "" {
				return s
			}
		case json.Number:
			return v.String()
		case bool:
			return strconv.FormatBool(v)
		}
	}
	return ""
}

// within is a member that is an object, or the text of one.
func (d record) within(name string) record {
	switch v := d[name].(type) {
	case map[string]any:
		return v
	case string:
		if x, err := parse([]byte(v)); err == nil {
			m, _ := x.(map[string]any)
			return m
		}
	}
	return nil
}

// raw is a member as JSON, for who keeps it.
func (d record) raw(name string) json.RawMessage {
	if d[name] == nil {
		return nil
	}
	b, err := json.Marshal(d[name])
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(b)
}
