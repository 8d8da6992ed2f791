package checkup

import (
	"time"

	"hospay/channels"
)

// Certificate is a key or certificate of a channel with the days that are left.
type Certificate struct {
	Channel string     `json:"channel"`
	What    string     `json:"what"`
	Label   string     `json:"label"`
	ID      string     `json:"id"`
	Subject string     `json:"subject,omitempty"`
	Expires *time.Time `json:"expires"` // null: never, or nothing says when
	Days    *int       `json:"days"`
}

var labels = map[string]string{
	"merchant_cert": "商户证书", "platform_cert": "微信支付平台证书", "public_key": "渠道公钥", "app_cert": "应用公钥证书",
	"alipay_cert": "支付宝公钥证书", "alipay_root_cert": "支付宝根证书",
}

// Certificates lists what a channel works with; one that keeps none has none.
func Certificates(name string, conn channels.Channel, now time.Time) []Certificate {
	out := []Certificate{}
	c, err := channels.As[channels.Credentials](conn)
	if err != nil {
		return out
	}
	for _, x := range c.Credentials() {
		cert := Certificate{Channel: name, What: x.What, Label: labels[x.What], ID: x.ID, Subject: x.Subject}
		if !x.Expires.IsZero() {
			days := int(x.Expires.Sub(now).Hours() / 24)
			if x.Expires.Before(now) {
				days = -1 - int(now.Sub(x.Expires).Hours()/24)
			}
			cert.Expires, cert.Days = &x.Expires, &days
		}
		out = append(out, cert)
	}
	return out
}
