package config

import (
	"encoding/json"

	"hospay/centre"
	"hospay/channels"
	"hospay/collections"
	"hospay/money"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Configuration is everything of an institution that its staff may see of its
// configuration. Secrets are told by the names of those that are held. What a
// record shows is what its kind lists; a test holds the two together.
type Configuration struct {
	Institution InstitutionSettings `json:"institution"`
	Channels    []ChannelSettings   `json:"channels"`
	HIS         *HISSettings        `json:"his"`
	Centre      *CentreSettings     `json:"centre"`
	Regions     []RegionProfile     `json:"regions"` // shipped, as a centre's region may be based on
	Kiosks      []KioskSettings     `json:"kiosks"`
	SMS         *SMSSettings        `json:"sms"`
	Review      *ReviewRules        `json:"review"`
	Notices     []NoticeText        `json:"notices"`
	Texts       []NotificationWords `json:"texts"`
	Staff       []StaffAccount      `json:"staff"`
	Waiting     int                 `json:"waiting"`
	Connections []ConnectionShown   `json:"connections"` // in force, and former ones that orders under way still need
}

// ConnectionShown is whom calls were sent to, and how many orders under way still
// depend on it. A changed merchant, application or address is another connection.
type ConnectionShown struct {
	ID         string `json:"id"`
	Name       string `json:"name"` // wechat, alipay, his, centre
	MerchantID string `json:"merchant_id"`
	AppID      string `json:"app_id"`
	Base       string `json:"base"`
	Current    bool   `json:"current"`
	Since      string `json:"since"`
	LeftAt     string `json:"left_at"` // empty while it is in force
	Open       int    `json:"open"`
}

// KioskSettings is a kiosk (自助机), with what is known of its device. Times are empty
// where there is none.
type KioskSettings struct {
	ID          string         `json:"id"`
	Updated     types.DateTime `json:"updated"`
	Place       string         `json:"place"`
	Active      bool           `json:"active"`
	Ways        []string       `json:"ways"` // credential, id_card, social_card
	ReaderURL   string         `json:"reader_url"`
	IdleSeconds int            `json:"idle_seconds"`
	EnrolledAt  string         `json:"enrolled_at"`
	SeenAt      string         `json:"seen_at"`
	CodeUntil   string         `json:"code_until"` // a code is out
}

// InstitutionSettings is an institution's rules.
type InstitutionSettings struct {
	ID                    string          `json:"id"`
	Updated               types.DateTime  `json:"updated"`
	Code                  string          `json:"code"`
	Name                  string          `json:"name"`
	Active                bool            `json:"active"`
	Methods               []string        `json:"methods"`
	DebitAt               string          `json:"debit_at"`
	MinAmount             money.Fen       `json:"min_amount"`
	DayLimit              int             `json:"day_limit"`
	ProxyOn               bool            `json:"proxy_on"`
	ProxyPayee            string          `json:"proxy_payee"`
	ProxyDays             int             `json:"proxy_days"`
	ProxyPhotoDays        int             `json:"proxy_photo_days"`
	SecondFactor          string          `json:"second_factor"`
	IdleMinutes           int             `json:"idle_minutes"`
	RevealsADay           int             `json:"reveals_a_day"`
	RefundAlone           money.Fen       `json:"refund_alone"`
	PayOffRegistration    []string        `json:"pay_off_registration"` // insured, own
	PayWhyRegistration    string          `json:"pay_why_registration"`
	RefundOffRegistration bool            `json:"refund_off_registration"`
	RefundWhyRegistration string          `json:"refund_why_registration"`
	PayOffOutpatient      []string        `json:"pay_off_outpatient"` // insured, own
	PayWhyOutpatient      string          `json:"pay_why_outpatient"`
	RefundOffOutpatient   bool            `json:"refund_off_outpatient"`
	RefundWhyOutpatient   string          `json:"refund_why_outpatient"`
	ServicePhone          string          `json:"service_phone"`
	TransferChoice        bool            `json:"transfer_choice"`
	SelfEntry             bool            `json:"self_entry"`
	VoucherLayout         json.RawMessage `json:"voucher_layout"`
	ReconPrefixes         string          `json:"recon_prefixes"`
	ReconWords            string          `json:"recon_words"`
	ReconHISSign          string          `json:"recon_his_sign"`
	SecretsHeld           []string        `json:"secrets_held"`
	PayoutsFrozen         bool            `json:"payouts_frozen"`
	FreezeNote            string          `json:"freeze_note"`
}

// ChannelSettings is a channel that is configured, or could be (then without
// an id).
type ChannelSettings struct {
	ID          string         `json:"id"`
	Updated     types.DateTime `json:"updated"`
	Channel     string         `json:"channel"`
	Active      bool           `json:"active"`
	MerchantID  string         `json:"merchant_id"`
	AppID       string         `json:"app_id"`
	APIBase     string         `json:"api_base"`
	NotifyBase  string         `json:"notify_base"`
	Settings    []Setting      `json:"settings"`
	Secrets     []Secret       `json:"secrets"`
	SecretsHeld []string       `json:"secrets_held"`
}

// Setting is a channel's setting with its value, as a page shows it.
type Setting struct {
	Name    string            `json:"name"`
	Label   string            `json:"label"`
	Kind    string            `json:"kind"`
	Choices []channels.Choice `json:"choices,omitempty"`
	Default string            `json:"default"`
	Help    string            `json:"help"`
	Value   string            `json:"value"`
}

// Secret is a secret by its name.
type Secret struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Kind  string `json:"kind"`
	Help  string `json:"help"`
	Held  bool   `json:"held"`
}

// HISSettings is the connection to the HIS.
type HISSettings struct {
	ID          string          `json:"id"`
	Updated     types.DateTime  `json:"updated"`
	Kind        string          `json:"kind"`
	BaseURL     string          `json:"base_url"`
	TimeoutMS   int             `json:"timeout_ms"`
	Queryable   bool            `json:"queryable"`
	Idempotent  bool            `json:"idempotent"`
	Reversible  bool            `json:"reversible"`
	Mapping     json.RawMessage `json:"mapping"`
	Active      bool            `json:"active"`
	SecretsHeld []string        `json:"secrets_held"`
}

// CentreSettings is the connection to the insurance centre. Region is a shipped
// profile by its name in base, and what differs from it.
type CentreSettings struct {
	ID          string          `json:"id"`
	Updated     types.DateTime  `json:"updated"`
	Active      bool            `json:"active"`
	OrgCode     string          `json:"org_code"`
	OrgName     string          `json:"org_name"`
	AppID       string          `json:"app_id"`
	BaseURL     string          `json:"base_url"`
	Region      json.RawMessage `json:"region"`
	TimeoutMS   int             `json:"timeout_ms"`
	SecretsHeld []string        `json:"secrets_held"`
}

// RegionProfile is a region that comes with the program.
type RegionProfile struct {
	Code   string        `json:"code"`
	Title  string        `json:"title"`
	Region centre.Region `json:"region"`
}

// SMSSettings is the connection to the sender of text messages.
type SMSSettings struct {
	ID          string          `json:"id"`
	Updated     types.DateTime  `json:"updated"`
	Active      bool            `json:"active"`
	URL         string          `json:"url"`
	Settings    json.RawMessage `json:"settings"`
	SecretsHeld []string        `json:"secrets_held"`
}

// ReviewRules is how orders are reviewed.
type ReviewRules struct {
	ID           string         `json:"id"`
	Updated      types.DateTime `json:"updated"`
	Auto         bool           `json:"auto"`
	Shadow       bool           `json:"shadow"`
	DelaySeconds int            `json:"delay_seconds"`
	WindowFrom   string         `json:"window_from"`
	WindowTo     string         `json:"window_to"`
	Rules        *[]refund.Rule `json:"rules"` // null: none were ever set
	SecondFrom   money.Fen      `json:"second_from"`
	SecondProxy  bool           `json:"second_proxy"`
	// RejectReasons are those that reviewers are offered, the shipped ones where none are set.
	RejectReasons []string `json:"reject_reasons"`
}

// NoticeText is a version of a notice that patients agree to.
type NoticeText struct {
	ID      string         `json:"id"`
	Updated types.DateTime `json:"updated"`
	Kind    string         `json:"kind"`
	Version string         `json:"version"`
	Title   string         `json:"title"`
	Content string         `json:"content"`
	Active  bool           `json:"active"`
	Created types.DateTime `json:"created"`
}

// NotificationWords is the text of a notification.
type NotificationWords struct {
	ID             string          `json:"id"`
	Updated        types.DateTime  `json:"updated"`
	Event          string          `json:"event"`
	Title          string          `json:"title"`
	Body           string          `json:"body"`
	SMS            bool            `json:"sms"`
	WechatTemplate string          `json:"wechat_template"`
	AlipayTemplate string          `json:"alipay_template"`
	Keywords       json.RawMessage `json:"keywords"`
}

// StaffAccount is an account without anything by which one could enter.
type StaffAccount struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Email      string   `json:"email"`
	Roles      []string `json:"roles"`
	Active     bool     `json:"active"`
	Locked     bool     `json:"locked"`
	Identified bool     `json:"identified"`
	LastChange string   `json:"last_change"`
}

// Change is a change as pages see it.
type Change struct {
	ID        string          `json:"id"`
	Target    Target          `json:"target"`
	New       bool            `json:"new"`
	Version   int             `json:"version"`
	Before    json.RawMessage `json:"before"`
	After     json.RawMessage `json:"after"`
	Note      string          `json:"note"`
	Sensitive bool            `json:"sensitive"`
	State     string          `json:"state"`
	Proposer  *ChangePerson   `json:"proposer"`
	Confirmer *ChangePerson   `json:"confirmer"`
	Answer    string          `json:"answer"`
	Created   types.DateTime  `json:"created"`
	Decided   types.DateTime  `json:"decided"`
	Password  string          `json:"password,omitempty"` // a new account's first, told once
}

// ChangePerson is who proposed or decided; superusers have no name.
type ChangePerson struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Show writes a change as pages see it. Names tells who the people are.
func Show(c store.ConfigChange, names func(string) string) Change {
	person := func(kind, id string) *ChangePerson {
		if id == "" {
			return nil
		}
		return &ChangePerson{Kind: kind, ID: id, Name: names(id)}
	}
	return Change{
		ID: c.ID, Target: Target{Collection: c.Collection, ID: c.Record}, New: c.Fresh, Version: c.Version,
		Before: json.RawMessage(c.Before), After: json.RawMessage(c.After), Note: c.Note, Sensitive: c.Sensitive, State: c.State,
		Proposer: person(c.ProposerKind, c.Proposer), Confirmer: person("staff", c.Confirmer), Answer: c.Answer,
		Created: c.Created, Decided: c.Decided,
	}
}

// show reads what a record's kind lists, and nothing else, into its form.
func show[T any](rec *core.Record) (out T, err error) {
	fields := map[string]any{"id": rec.Id, "updated": rec.GetDateTime("updated")}
	for _, f := range kinds()[rec.Collection().Name].fields {
		if f.name != "secrets" && rec.Collection().Fields.GetByName(f.name) != nil {
			fields[f.name] = rec.Get(f.name)
		}
	}
	if takesSecrets(rec.Collection()) {
		fields["secrets_held"] = heldNames(rec)
	}
	if rec.Collection().Name == collections.ChannelConfigs { // described, see readChannels
		delete(fields, "settings")
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(text, &out)
}
