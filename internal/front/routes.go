package front

import "net/http"

// routes are what the world may ask for through the edge: what patients do, and
// the callbacks of channels and centre. Everything else stays inside: the console,
// kiosks, HIS, the dashboard.
var routes = []string{
	"GET /{$}", "GET /index.html", "GET /icon.svg", "GET /assets/{rest...}", "GET /m/{id}",
	"GET /api/health",
	"GET /api/realtime", "POST /api/realtime",
	"POST /api/files/token", "GET /api/files/receipts/{record}/{file}", "GET /api/files/proxy_materials/{record}/{file}",
	"POST /api/collections/patients/auth-refresh",
	"GET /api/collections/{mine}/records", "GET /api/collections/{mine}/records/{id}", "POST /api/collections/{mine}/records",
	"PATCH /api/collections/{mine}/records/{id}", "DELETE /api/collections/{mine}/records/{id}",
	"POST /api/hospay/auth/ticket", "POST /api/hospay/auth/wechat", "POST /api/hospay/auth/alipay", "GET /api/hospay/auth/links",
	"POST /api/hospay/auth/register", "POST /api/hospay/auth/logout",
	"GET /api/hospay/wechat/signature", "POST /api/hospay/status", "GET /api/hospay/me", "GET /api/hospay/cards", "GET /api/hospay/options",
	"GET /api/hospay/refunds/{id}/confirmation", "POST /api/hospay/refunds/{id}/check", "GET /api/hospay/refunds/{id}/timeline",
	"POST /api/hospay/refunds/{id}/cancel",
	"GET /api/hospay/messages", "POST /api/hospay/messages/read", "POST /api/hospay/messages/{id}/read",
	"GET /api/hospay/proxies/options", "GET /api/hospay/proxies/{id}", "POST /api/hospay/proxies/{id}/submit",
	"POST /api/hospay/proxies/{id}/close",
	"GET /api/hospay/bills", "GET /api/hospay/departments", "GET /api/hospay/slots", "POST /api/hospay/slots/{id}/lock",
	"DELETE /api/hospay/slots/{id}/lock",
	"GET /api/hospay/insurance/areas", "POST /api/hospay/insurance/enrolment", "POST /api/hospay/insurance/identity",
	"GET /api/hospay/insurance/authorisation", "POST /api/hospay/insurance/authorisation",
	"GET /api/hospay/payments/{id}", "POST /api/hospay/payments/{id}/check", "POST /api/hospay/payments/{id}/authorise",
	"POST /api/hospay/payments/{id}/agree", "POST /api/hospay/payments/{id}/cancel",
	"POST /api/hospay/notify/{channel}/{institution}",
	"GET /{proof}", // files by which WeChat makes sure whose domain it is
}

// mine are the collections that patients reach.
var mine = map[string]bool{"refund_orders": true, "payment_orders": true, "proxy_applications": true, "proxy_materials": true,
	"receipts": true, "notices": true, "institutions": true}

// Routes lists the patterns that are let through, for the documentation and for
// the test that holds them against what the program serves.
func Routes() []string { return append([]string(nil), routes...) }

// only lets through what is on the list; anything else does not exist.
func only(next http.Handler, absent http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r, func(w http.ResponseWriter, r *http.Request) {
			if name := r.PathValue("mine"); name != "" && !mine[name] {
				absent(w, r)
				return
			}
			if name := r.PathValue("proof"); name != "" && !proofName.MatchString(name) {
				absent(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	mux.HandleFunc("/", absent)
	return mux
}
