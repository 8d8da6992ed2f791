package wechat

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/payment"
)

// onlineBusiness is 医保移动支付 in the list of online businesses.
const onlineBusiness = "04107"

// Authorisation is where the patient lets us use the credential: a page, and for
// mini programs Tencent's own to jump to. Whether they did shows in the code that
// they come back with.
func (c *Client) Authorisation(_ context.Context, ask payment.AuthorisationAsk) payment.Authorisation {
	city := firstOf(ask.City, c.ins.city)
	lacks := channels.Missing(map[string]string{"医保授权渠道号": c.ins.channel, "渠道认证编码": c.ins.orgCert, "定点医药机构编码": ask.OrgCode,
		"医保应用编号": ask.AppID, "医保城市编码": city})
	if len(lacks) > 0 {
		return channels.AuthorisationOf(channels.BadTrade(flow.ActorIT, "微信医保授权没有配置完整，缺少"+strings.Join(lacks, "、")))
	}
	switch ask.Terminal {
	case payment.TerminalMini:
		return payment.Authorisation{Verdict: flow.Done, MiniAppID: c.ins.miniApp, MiniPath: c.authPath(ask, city)}
	case payment.TerminalH5:
		return payment.Authorisation{Verdict: flow.Done, URL: c.authURL(ask, city)}
	}
	return channels.AuthorisationOf(channels.NotSupported("自助机不能打开微信的医保授权页，请出示医保码"))
}

// authPath is the page of Tencent's mini program. The institution's certificate
// code goes in as it is, although it holds / + and =.
func (c *Client) authPath(ask payment.AuthorisationAsk, city string) string {
	return c.ins.miniPath + "?openType=getAuthCode&bizType=" + onlineBusiness + "&cityCode=" + city + "&channel=" + c.ins.channel +
		"&orgChnlCrtfCodg=" + c.ins.orgCert + "&orgCodg=" + ask.OrgCode + "&orgAppId=" + ask.AppID
}

// authURL is the page for browsers inside WeChat; here everything is escaped.
func (c *Client) authURL(ask payment.AuthorisationAsk, city string) string {
	q := url.Values{"authType": {"2"}, "isDepart": {"2"}, "bizType": {onlineBusiness}, "appid": {c.AppID}, "cityCode": {city},
		"channel": {c.ins.channel}, "orgChnlCrtfCodg": {c.ins.orgCert}, "orgCodg": {ask.OrgCode}, "orgAppId": {ask.AppID},
		"redirectUrl": {ask.Back}}
	return c.ins.authBase + "/oauth/code?" + q.Encode()
}

// granted is the answer to a code. It is not signed; only the connection says
// that it is Tencent's.
type granted struct {
	Code      json.RawMessage `json:"code"`
	Name      string          `json:"user_name"`
	IDNo      string          `json:"user_card_no"`
	Own       string          `json:"pay_auth_no"`
	Family    string          `json:"family_pay_auth_no"`
	City      string          `json:"city_id"`
	City2     string          `json:"cityId"`
	Location  json.RawMessage `json:"user_longitude_latitude"`
	Location2 json.RawMessage `json:"userLongitudeLatitude"`
}

// Credential turns the code of the page into the payment authorisation. A code
// works once.
func (c *Client) Credential(ctx context.Context, ask payment.AuthorisationAsk, code string) (a payment.Authorisation) {
	defer channels.RecoverTo(&a, channels.AuthorisationOf)
	switch {
	case c.ins.partnerID == "" || c.ins.partnerSecret == "":
		return channels.AuthorisationOf(channels.BadTrade(flow.ActorIT, "没有配置医保授权的合作方编号与密钥"))
	case code == "" || len(code) > 512 || ask.Payer == "":
		return channels.AuthorisationOf(channels.BadTrade(flow.ActorPatient, "没有拿到医保授权，请重新授权"))
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var out granted
	_, payer := flow.AppOf(ask.Payer)
	if err := c.userQuery(ctx, payer, code, &out); err != nil {
		return channels.AuthorisationOf(channels.NoAnswer(wire.Bare(err)))
	}
	return out.authorisation()
}

func (c *Client) userQuery(ctx context.Context, openID, code string, out *granted) error {
	body, err := json.Marshal(struct {
		Code   string `json:"qrcode"`
		OpenID string `json:"openid"`
	}{code, openID})
	if err != nil {
		return err
	}
	address := c.ins.queryBase + "/api/mipuserquery/userQuery/" + url.PathEscape(c.ins.partnerID)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("wechat: request cannot be built")
	}
	stamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("god-portal-timestamp", stamp)
	req.Header.Set("god-portal-request-id", requestID())
	req.Header.Set("god-portal-signature", portalSignature(c.ins.partnerSecret, c.ins.partnerID, stamp))
	resp, err := c.portal.Do(req)
	if err != nil {
		return wire.Bare(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("wechat: status %d", resp.StatusCode)
	}
	return json.Unmarshal(raw, out)
}

// portalSignature is the lower-case hex HMAC-SHA256 of partner and time.
func portalSignature(secret, partner, stamp string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(partner + stamp))
	return hex.EncodeToString(h.Sum(nil))
}

// requestID is a random UUID without dashes.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return hex.EncodeToString(b[:])
}

// authorisation reads the answer. No table of its codes is public, so a refusal
// proves nothing; exactly one of the two numbers must be there, since it says
// whose credential pays.
func (g granted) authorisation() payment.Authorisation {
	number := strings.Trim(string(g.Code), `"`)
	switch {
	case number == "" || number == "null":
		return channels.AuthorisationOf(channels.Mismatch("没有结果代码"))
	case number != "0":
		codes := channels.Codes{"userquery." + number: {Actor: flow.ActorPatient, Words: "没有取得医保授权，请重新授权"}}
		return channels.AuthorisationOf(codes.Answer("userquery."+number, ""))
	case (g.Own == "") == (g.Family == ""):
		return channels.AuthorisationOf(channels.Unclear("授权应答中本人与亲情授权号应有且只有一个"))
	}
	return payment.Authorisation{Verdict: flow.Done, Granted: true, PayAuthNo: g.Own + g.Family, Family: g.Family != "",
		Payer: payment.Person{Name: g.Name, IDType: "01", IDNo: g.IDNo}, Masked: strings.Contains(g.Name, "*"),
		City: firstOf(g.City, g.City2), Location: firstOf(readLocation(g.Location), readLocation(g.Location2))}
}

var degrees = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]{1,10})?$`)

// readLocation reads 经度,纬度 out of an object, or of the text of one. What
// cannot be read was not told.
func readLocation(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var at struct {
		Longitude json.RawMessage `json:"longitude"`
		Latitude  json.RawMessage `json:"latitude"`
	}
	if json.Unmarshal(raw, &at) != nil {
		return ""
	}
	lng, lat := strings.Trim(string(at.Longitude), `"`), strings.Trim(string(at.Latitude), `"`)
	if !degrees.MatchString(lng) || !degrees.MatchString(lat) {
		return ""
	}
	return lng + "," + lat
}
