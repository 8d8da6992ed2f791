// Package channels holds what all payment channels share: the registry of
// channel kinds, their configuration, and the ports beside paying (callbacks,
// login, bills, receipts, messages). A channel kind is a sub-package; main
// registers it by name. No SDK type leaves a sub-package.
package channels

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"
)

// Config is one institution's contract with one channel.
type Config struct {
	Institution string
	Channel     string // wechat, alipay
	MerchantID  string // WeChat mchid, Alipay PID (2088…)
	AppID       string
	APIBase     string            // empty = the channel's official host
	NotifyURL   string            // where callbacks of this institution arrive
	Settings    map[string]string // everything a hospital may have to set; each kind documents its keys
	Secrets     map[string]string // keys and certificates, decrypted
	Transport   http.RoundTripper // nil = a guarded transport of the caller's choice
	Now         func() time.Time  // nil = time.Now
}

// Channel is a configured channel. All of them pay back; what else one can do
// shows in the ports that it implements (Callbacks, Login, Bills, Receipts,
// Messenger, Credentials, PageSigner), which As finds.
type Channel interface{ refund.Channel }

// As returns the port T of a connection, or ErrNotSupported when it has none.
func As[T any](conn any) (T, error) {
	port, ok := conn.(T)
	if !ok {
		return port, ErrNotSupported
	}
	return port, nil
}

// Callbacks verifies and answers notifications.
type Callbacks interface {
	// ParseCallback verifies header and raw body (signature, time, merchant,
	// app) and reads the notification. ErrBadCallback wraps every refusal.
	ParseCallback(ctx context.Context, header http.Header, body []byte) (flow.Callback, error)
	// Acknowledge answers the channel: accepted when err is nil.
	Acknowledge(w http.ResponseWriter, err error)
}

// Login exchanges a code for the channel's id of the person.
type Login interface {
	AuthorizeURL(redirect, state string) string
	Exchange(ctx context.Context, code string) (Account, error)
}

// Apps tells the applications of an institution from others.
type Apps interface {
	// Within writes a person's id in a named application as an account; false where
	// the application is not the institution's.
	Within(app, id string) (string, bool)
}

// MiniLogin exchanges the code of a mini program's login, where a hospital has
// one beside the channel's first application.
type MiniLogin interface {
	ExchangeMini(ctx context.Context, code string) (Account, error)
}

// Account is a person's account at a channel.
type Account struct {
	ID    string // of an application beside the first one as flow.InApp writes it
	Type  refund.AccountType
	Union string // what is the same in all applications of the hospital, where told
}

// BillKind names a bill: "fundflow_operation", "fundflow_basic", "trade"
// (WeChat), "signcustomer", "trade" (Alipay).
type BillKind string

// Bill is a downloaded bill file.
type Bill struct {
	Name   string // file name with extension
	Hash   string // hex SHA-256 of the stored bytes
	Size   int64
	Source string // digest told by the channel, as "SHA1:…", empty when it tells none
}

// Bills downloads a business day's bill (yyyy-MM-dd) in the channel's own
// format. ErrBillEmpty: the day had no movement. ErrBillNotReady: ask later.
type Bills interface {
	DownloadBill(ctx context.Context, day string, kind BillKind, w io.Writer) (Bill, error)
}

// Receipt is an electronic receipt (电子回单) under way or ready.
type Receipt struct {
	State   ReceiptState
	Token   string // the channel's handle to go on with, empty when it needs none
	PDF     []byte // with ReceiptReady
	Message string // with ReceiptFailed
}

// ReceiptState is the progress of a receipt.
type ReceiptState string

// The states of a receipt.
const (
	ReceiptGenerating ReceiptState = "generating"
	ReceiptReady      ReceiptState = "ready"
	ReceiptFailed     ReceiptState = "failed"
)

// Receipts applies for, follows and downloads the receipt of a payout. Call it
// again with the returned token until it is ready or failed.
type Receipts interface {
	Receipt(ctx context.Context, no, channelNo, token string) (Receipt, error)
}

// Message is a notice to a person through the channel's own message service.
type Message struct {
	To       Account
	Template string
	Page     string            // address of the page that it is about; may be empty
	Data     map[string]string // keyword → text
	ID       string            // our id of the message, for services that drop repeats
}

// Messenger sends template messages and returns the channel's message id.
// ErrMessageRefused wraps refusals that a repeat cannot mend. CanMessage says,
// in Chinese, what the configuration lacks for that.
type Messenger interface {
	CanMessage() error
	SendMessage(ctx context.Context, m Message) (string, error)
}

// CodeOrder is an order that was settled at a counter or kiosk with the patient's
// code (医保码一码付). Channels whose code it was want to be told.
type CodeOrder struct {
	No      string // our number
	Code    string // the code as scanned, 28 places; a secret
	Kind    payment.Kind
	Title   string
	OrgCode string
	City    string
	PaidAt  time.Time
	Total   money.Fen
	Fund    money.Fen
	Account money.Fen
	Cash    money.Fen
	TradeNo string   // the channel's number of the cash, where it collected that
	HISNos  []string // numbers of HIS
}

// CodeOrders tells a channel of orders that were settled with its code.
type CodeOrders interface {
	TellCodeOrder(context.Context, CodeOrder) flow.Answer
}

// Errors of the ports.
var (
	ErrBadCallback    = errors.New("channels: callback refused")
	ErrBillEmpty      = errors.New("channels: no movement on that day")
	ErrBillNotReady   = errors.New("channels: bill is not ready yet")
	ErrMessageRefused = errors.New("channels: message refused")
	ErrBadCode        = errors.New("channels: login code refused")
	ErrUnavailable    = errors.New("channels: no proper answer")
	ErrNotSupported   = errors.New("channels: not supported")
)

// Factory builds a channel from its configuration and fails, in Chinese for
// the person who configures, on anything missing or unreadable.
type Factory func(Config) (Channel, error)

var (
	kindsMu sync.RWMutex
	kinds   = map[string]Factory{}
)

// Register adds a channel kind with the fields that it reads. It is called from
// main before anything else.
func Register(name string, f Factory, fields ...Field) {
	kindsMu.Lock()
	defer kindsMu.Unlock()
	kinds[name], described[name] = f, fields
}

// New builds the channel that the configuration names.
func New(cfg Config) (Channel, error) {
	kindsMu.RLock()
	f, ok := kinds[cfg.Channel]
	kindsMu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("未知的渠道 %q", cfg.Channel)
	}
	return f(cfg)
}

// Names lists the registered kinds in order.
func Names() []string {
	kindsMu.RLock()
	defer kindsMu.RUnlock()
	var names []string
	for n := range kinds {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// PageSignature is what a page inside a channel's app needs to call the app's
// own functions, such as opening the confirmation of a transfer.
type PageSignature struct {
	AppID     string
	Timestamp int64
	Nonce     string
	Signature string
}

// PageSigner signs pages. Only channels whose app demands it implement it.
type PageSigner interface {
	// SignPage signs the full URL of the page; what follows # does not count.
	SignPage(ctx context.Context, url string) (PageSignature, error)
}

// Record is what may be kept of a callback: numbers, state and amount, no
// personal data.
type Record struct {
	Event     string    `json:"event"`
	No        string    `json:"no,omitempty"`
	ChannelNo string    `json:"channel_no,omitempty"`
	State     string    `json:"state,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Amount    money.Fen `json:"amount,omitempty"`
}

// String prints the record as JSON, every text cut to 64 characters.
func (r Record) String() string {
	for _, s := range []*string{&r.Event, &r.No, &r.ChannelNo, &r.State, &r.Reason} {
		*s = Clip(*s, 64)
	}
	text, _ := json.Marshal(r) // strings and a number: cannot fail
	return string(text)
}

// MessagePage is the page of a mini-program that opens an address of ours, by
// the setting message_page; empty without either.
func MessagePage(setting, address string) string {
	if setting == "" || address == "" {
		return ""
	}
	return strings.ReplaceAll(setting, "{url}", url.QueryEscape(address))
}
