// Package robot sends alarms to a chat group through its robot: WeCom (企业微信群机器人)
// or DingTalk (钉钉自定义机器人). What is sent names no person.
package robot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hospay/internal/wire"
	"hospay/notify"
)

// hosts are where the robots of everybody live. A house may have its own gateway.
var hosts = map[string]string{notify.ViaWeCom: "qyapi.weixin.qq.com", notify.ViaDingTalk: "oapi.dingtalk.com"}

// Robot is one robot of a group.
type Robot struct {
	via    string
	url    *url.URL
	secret string // of DingTalk's signature; may be empty
	now    func() time.Time
	http   *http.Client
}

// New reads the address that the group's owner was given, which holds its key.
func New(via, address, secret string, now func() time.Time) (*Robot, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("群机器人的地址不正确，应是群里复制出来的整个 Webhook 地址")
	}
	if official := u.Scheme == "https" && u.Hostname() == hosts[via]; !official && !wire.Inside(u) {
		return nil, fmt.Errorf("群机器人的地址应为 https://%s/…，或院内地址", hosts[via])
	}
	client, err := wire.Client(wire.Rules{Only: &url.URL{Scheme: u.Scheme, Host: u.Host}})
	if err != nil {
		return nil, err
	}
	return &Robot{via: via, url: u, secret: secret, now: now, http: client}, nil
}

// limit is how long a text of WeCom may be, in bytes; DingTalk takes more.
const limit = 2000

// Send sends one message. Its errors hold neither address nor key.
func (r *Robot) Send(ctx context.Context, m notify.Message) error {
	text := m.Title + "\n" + m.Body
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	body, err := json.Marshal(map[string]any{"msgtype": "text", "text": map[string]string{"content": text}})
	if err != nil {
		return err
	}
	ctx, cancel := wire.WithDeadline(ctx, wire.DefaultTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address(), bytes.NewReader(body))
	if err != nil {
		return wire.Plain(r.via, wire.ErrAddress)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	res, err := r.http.Do(req)
	if err != nil {
		return wire.Plain(r.via, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return wire.Plain(r.via, err)
	}
	var said struct {
		Code *int `json:"errcode"`
	}
	switch err := json.Unmarshal(data, &said); {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: HTTP %d", r.via, res.StatusCode)
	case err != nil || said.Code == nil:
		return fmt.Errorf("%s: answer is not understood", r.via)
	case *said.Code == 0:
		return nil
	case refused[*said.Code]:
		return fmt.Errorf("%w: %s errcode %d", notify.ErrRefused, r.via, *said.Code)
	default:
		return fmt.Errorf("%s: errcode %d", r.via, *said.Code)
	}
}

// refused are answers that a repeat cannot mend: a key that is none, a signature or
// keyword that does not fit, a robot that was taken out of its group.
var refused = map[int]bool{93000: true, 310000: true, 300001: true, 400013: true, 400101: true, 400102: true, 40035: true}

// address is the robot's, with DingTalk's signature of this moment where it has a
// key: HMAC-SHA256 of the time in milliseconds, a line break and the key, under
// the key.
func (r *Robot) address() string {
	if r.via != notify.ViaDingTalk || r.secret == "" {
		return r.url.String()
	}
	at := strconv.FormatInt(r.now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(r.secret))
	mac.Write([]byte(at + "\n" + r.secret))
	u := *r.url
	q := u.Query()
	q.Set("timestamp", at)
	q.Set("sign", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	u.RawQuery = q.Encode()
	return u.String()
}
