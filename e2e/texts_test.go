package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
)

// textRow is a route with a text: as whom, what beside it is sent, the code of
// a text that says nothing; none where it may be left out. TEXT is the text.
type textRow struct{ route, path, who, body, code string }

var textTable = []textRow{
	{"", "POST /api/collections/reviews/records", "reviewer1", `{"order":"{order}","decision":"reject","note":TEXT}`, "note_required"},
	{"", "POST /api/collections/reviews/records", "reviewer1", `{"order":"{order}","decision":"approve","note":TEXT}`, ""},
	{"", "POST /api/hospay/reviews/batch", "reviewer1",
		`{"orders":["{order}"],"decision":"reject","count":1,"total":2600,"note":TEXT}`, "note_required"},
	{"", "POST /api/hospay/batches", "reviewer1",
		`{"orders":["{order}"],"decision":"reject","count":1,"total":2600,"note":TEXT}`, "note_required"},
	{"POST /api/hospay/proxies/{id}/review", "POST /api/hospay/proxies/{proxy}/review", "reviewer1", `{"decision":"reject","note":TEXT}`,
		"note_required"},
	{"POST /api/hospay/desk/suspense/{id}/propose", "POST /api/hospay/desk/suspense/{order}/propose", "finance",
		`{"action":"restore","reason":TEXT}`, "note_required"},
	{"", "POST /api/hospay/desk/suspense/{order}/propose", "finance",
		`{"action":"paid_by_hand","reason":"柜台已付","evidence":TEXT}`, "evidence_required"},
	{"POST /api/hospay/desk/suspense/{id}/confirm", "POST /api/hospay/desk/suspense/{order}/confirm", "finance",
		`{"action":"restore","note":TEXT}`, ""},
	{"POST /api/hospay/desk/suspense/{id}/withdraw", "POST /api/hospay/desk/suspense/{order}/withdraw", "finance", `{"note":TEXT}`, ""},
	{"POST /api/hospay/payments/{id}/refund", "POST /api/hospay/payments/{payment}/refund", "finance", `{"kind":"all","reason":TEXT}`,
		"note_required"},
	{"", "POST /api/hospay/payments/{payment}/refund/confirm", "finance", `{"note":TEXT}`, ""},
	{"", "POST /api/hospay/payments/{payment}/refund/withdraw", "finance", `{"note":TEXT}`, ""},
	{"POST /api/hospay/payments/{id}/write", "POST /api/hospay/payments/{payment}/write", "finance", `{"reason":TEXT}`, "note_required"},
	{"POST /api/hospay/payments/{id}/propose", "POST /api/hospay/payments/{payment}/propose", "finance",
		`{"action":"resume","reason":TEXT}`, "note_required"},
	{"", "POST /api/hospay/payments/{payment}/propose", "finance", `{"action":"unpaid_by_hand","reason":"渠道没有收款","evidence":TEXT}`,
		"evidence_required"},
	{"", "POST /api/hospay/payments/{payment}/confirm", "finance", `{"action":"resume","note":TEXT}`, ""},
	{"", "POST /api/hospay/payments/{payment}/withdraw", "finance", `{"note":TEXT}`, ""},
	{"", "POST /api/hospay/restored/release", "finance", `{"note":TEXT}`, "note_required"},
	{"", "POST /api/hospay/payouts/freeze", "finance", `{"frozen":true,"note":TEXT}`, "note_required"},
	{"POST /api/hospay/staff/{id}/unlock", "POST /api/hospay/staff/{staff}/unlock", "config", `{"note":TEXT}`, "note_required"},
	{"POST /api/hospay/recon/months/{month}/close", "POST /api/hospay/recon/months/2026-01/close", "finance", `{"note":TEXT}`,
		"reason_required"},
	{"POST /api/hospay/recon/months/{month}/reopen", "POST /api/hospay/recon/months/2025-11/reopen", "finance", `{"note":TEXT}`,
		"reason_required"},
	{"POST /api/hospay/differences/{id}/resolve", "POST /api/hospay/differences/none/resolve", "finance", `{"verb":"force","reason":TEXT}`,
		"reason_required"},
	{"POST /api/hospay/differences/{id}/confirm", "POST /api/hospay/differences/none/confirm", "finance", `{"note":TEXT}`, ""},
	{"POST /api/hospay/differences/{id}/withdraw", "POST /api/hospay/differences/none/withdraw", "finance", `{"note":TEXT}`, ""},
	{"POST /api/hospay/refunds/{id}/reveal", "POST /api/hospay/refunds/{order}/reveal", "finance", `{"field":"payee_name","reason":TEXT}`,
		"note_required"},
	{"POST /api/hospay/desk/proxies/{id}/look", "POST /api/hospay/desk/proxies/{proxy}/look", "auditor", `{"reason":TEXT}`, "note_required"},
	{"POST /api/hospay/reveals", "POST /api/hospay/reveals", "auditor", `{"note":TEXT}`, "note_required"},
	{"", "POST /api/hospay/reveals/none/release", "auditor", `{"note":TEXT}`, ""},
	{"", "POST /api/hospay/reveals/none/refuse", "auditor", `{"note":TEXT}`, ""},
	{"POST /api/hospay/config/changes/{id}/reject", "POST /api/hospay/config/changes/none/reject", "config", `{"note":TEXT}`, "note_required"},
	{"POST /api/hospay/config/changes/{id}/confirm", "POST /api/hospay/config/changes/none/confirm", "config", `{"note":TEXT}`, ""},
	{"", "POST /api/hospay/config/changes", "config",
		`{"target":{"collection":"institutions","id":"{institution}"},"values":{"name":"新名字"},"note":TEXT}`, ""},
	{"", "POST /api/hospay/config/changes", "config",
		`{"target":{"collection":"institutions","id":"{institution}"},"values":{"name":TEXT}}`, "config_invalid"},
	{"", "POST /api/hospay/config/changes", "config",
		`{"target":{"collection":"notices"},"values":{"kind":"refund","title":TEXT,"content":"<p>正文</p>"}}`, "config_invalid"},
	{"", "POST /api/hospay/config/changes", "config",
		`{"target":{"collection":"notices"},"values":{"kind":"refund","title":"标题","content":TEXT}}`, "config_invalid"},
	{"", "POST /api/hospay/config/changes", "config",
		`{"target":{"collection":"notification_texts","id":"{text}"},"values":{"body":TEXT}}`, "config_invalid"},
	{"", "POST /api/hospay/config/changes", "config", `{"target":{"collection":"staff"},"values":{"name":TEXT,"email":"n@demo.hospay"}}`,
		"config_invalid"},
}

// TestTexts_BlanksAreNoReason: wherever somebody must write something, blanks,
// single characters and marks are refused, and control characters everywhere.
func TestTexts_BlanksAreNoReason(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	order := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 2600, nil)
	a.Drain()
	db := a.Runtime.App.NonconcurrentDB()
	if _, err := db.NewQuery("INSERT INTO recon_months (id, institution, month, state) VALUES ('planted00000000', '" + a.Institution +
		"', '2025-11', 'closed')").Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Insert(collections.PaymentOrders, map[string]any{"id": "planted00000000", "institution": a.Institution,
		"patient": a.Login("P0001", "wechat").ID, "no": "P1", "bill_no": "B1", "card_no": "C0001", "status": "created"}).Execute(); err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("{order}", order, "{payment}", "planted00000000", "{institution}", a.Institution,
		"{proxy}", a.Login("P0001", "wechat").SubmittedProxy("P0003", "elderly"),
		"{staff}", must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "cashier@demo.hospay")).Id,
		"{text}", must(a.Runtime.App.FindFirstRecordByData(collections.NotificationTexts, "event", "succeeded")).Id)
	for _, row := range textTable {
		token := a.Staff(row.who)
		method, path, _ := strings.Cut(places.Replace(row.path), " ")
		send := func(text, code string) {
			quoted, _ := json.Marshal(text)
			body := strings.ReplaceAll(places.Replace(row.body), "TEXT", string(quoted))
			var v map[string]any
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				t.Fatal(err)
			}
			wantRefusal(t, row.path+" "+body, a.Call(method, path, token, v), 400, code)
		}
		for _, text := range []string{"", "   ", "\u3000\u3000", "\t\n", "\u200b\u200b", "\u3164\u3164", "x", "。。"} {
			if row.code != "" {
				send(text, row.code)
			}
		}
		for _, text := range []string{"原因\x00如下", "原因\x1b[31m", "原因\u202e反写"} {
			send(text, "text_invalid")
		}
	}
	wantStatus(t, a, order, "reviewing")
}

// TestTexts_NoRouteIsForgotten: what the table of permissions sends with a note
// or a reason stands in the table of texts.
func TestTexts_NoRouteIsForgotten(t *testing.T) {
	known := map[string]bool{}
	for _, row := range textTable {
		known[row.path], known[row.route] = true, true
	}
	for _, row := range routeTable {
		if (strings.Contains(row.body, `"note"`) || strings.Contains(row.body, `"reason"`)) && !known[row.route] {
			t.Errorf("%s takes a text and is not tested with blanks", row.route)
		}
	}
}
